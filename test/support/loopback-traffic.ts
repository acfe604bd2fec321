import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** The members of a socket that tell what is on its way. */
type End = Pick<Socket, 'destroyed' | 'readableEnded' | 'bytesRead' | 'bytesWritten'>;

/** Both ends of a connection, of which one may not be there yet. */
interface Connection {
  client?: End;
  server?: End;
}

/**
 * Watches the connections that this process has with itself from now on, and tells whether something is on its way in
 * one of them: on a busy machine the kernel may take its time even on loopback.
 */
export class LoopbackTraffic implements Disposable {
  readonly #connections = new Map<string, Connection>();
  readonly #onClient = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    socket.once('connect', () => {
      this.#end(`${socket.localPort} ${socket.remotePort}`).client = socket;
    });
  };
  readonly #onServer = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    this.#end(`${socket.remotePort} ${socket.localPort}`).server = socket;
  };

  constructor() {
    subscribe('net.client.socket', this.#onClient);
    subscribe('net.server.socket', this.#onServer);
  }

  /** Whether one end has sent or closed something that the other end has not noticed yet. */
  get isUnderWay(): boolean {
    for (const [ports, { client, server }] of this.#connections) {
      if (client?.destroyed === true && server?.destroyed === true) this.#connections.delete(ports);
      else if (isMissed(client, server) || isMissed(server, client)) return true;
    }
    return false;
  }

  [Symbol.dispose](): void {
    unsubscribe('net.client.socket', this.#onClient);
    unsubscribe('net.server.socket', this.#onServer);
  }

  #end(ports: string): Connection {
    const known = this.#connections.get(ports);
    if (known !== undefined) return known;
    const connection: Connection = {};
    this.#connections.set(ports, connection);
    return connection;
  }
}

/** Returns whether `from` has sent or closed something that `to` has not noticed yet. */
function isMissed(from: End | undefined, to: End | undefined): boolean {
  if (from === undefined) return false;
  if (to === undefined) return true;
  if (to.destroyed) return false;
  return from.destroyed ? !to.readableEnded : from.bytesWritten > to.bytesRead;
}

/** Tells about a connection that `tls.connect` makes by itself: Node tells only about those of `net.connect`. */
export function tellConnection(socket: TLSSocket): void {
  const { _handle: handle } = socket as TLSSocket & { _handle?: { _parent?: Socket } };
  channel('net.client.socket').publish({ socket: new EncryptedEnd(socket, handle?._parent) });
}

/** The client's end of such a connection. The numbers of bytes are those of the connection below TLS. */
class EncryptedEnd implements End {
  readonly #socket: TLSSocket;
  readonly #below: Pick<Socket, 'bytesRead' | 'bytesWritten'> | undefined;

  constructor(socket: TLSSocket, below: Pick<Socket, 'bytesRead' | 'bytesWritten'> | undefined) {
    this.#socket = socket;
    this.#below = below;
  }

  once(event: string, listener: () => void): void {
    this.#socket.once(event, listener);
  }

  get localPort(): number | undefined {
    return this.#socket.localPort;
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort;
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  get readableEnded(): boolean {
    return this.#socket.readableEnded;
  }

  get bytesRead(): number {
    return this.#below?.bytesRead ?? 0;
  }

  get bytesWritten(): number {
    return this.#below?.bytesWritten ?? 0;
  }
}
