import type { Clock } from '../../clock.ts';
import type { ReaderConnection } from './connection.ts';

interface Idle {
  readonly connection: ReaderConnection;
  readonly cancel: () => void;
}

/** Connections between two requests, by the origin that they lead to. */
export class IdleConnections {
  readonly #clock: Clock;
  readonly #byOrigin = new Map<string, Idle[]>();
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Keeps a connection for as long as its server does. */
  keep(origin: string, connection: ReaderConnection): void {
    if (this.#isClosed || connection.socket.destroyed) {
      connection.destroy();
      return;
    }
    const cancel = this.#clock.after(connection.idleMs, () => connection.destroy());
    const idle = { connection, cancel };
    this.#byOrigin.set(origin, [...(this.#byOrigin.get(origin) ?? []), idle]);
    connection.onIdleClose = () => this.#remove(origin, idle);
  }

  /** Returns the connection that was used last: the others may become superfluous. */
  take(origin: string): ReaderConnection | undefined {
    for (;;) {
      const idle = this.#byOrigin.get(origin)?.at(-1);
      if (idle === undefined) return undefined;
      this.#remove(origin, idle);
      if (!idle.connection.socket.destroyed) return idle.connection;
    }
  }

  /** Closes all of them, and those that come later. */
  close(): void {
    this.#isClosed = true;
    const all = [...this.#byOrigin.values()].flat();
    this.#byOrigin.clear();
    for (const { connection, cancel } of all) {
      cancel();
      connection.destroy();
    }
  }

  #remove(origin: string, idle: Idle): void {
    idle.cancel();
    idle.connection.onIdleClose = undefined;
    const left = (this.#byOrigin.get(origin) ?? []).filter((other) => other !== idle);
    if (left.length === 0) this.#byOrigin.delete(origin);
    else this.#byOrigin.set(origin, left);
  }
}
