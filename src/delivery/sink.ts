import type { ServerResponse } from 'node:http';

export interface SinkOptions {
  /** How long the client may take nothing; milliseconds, 0 for ever. */
  readonly idleMs: number;
  /** How many bytes the system holds for a connection, where it can be asked. */
  readonly unsent?: ((descriptor: number) => number | undefined) | undefined;
}

/** A response to write to, that knows when its client has gone. */
export class Sink {
  readonly #response: ServerResponse;
  readonly #idleMs: number;
  readonly #unsent: SinkOptions['unsent'];
  /** What the system held when it was last looked at. */
  #unsentBefore: number | undefined;
  #onGone: (() => void) | undefined;
  readonly #onClose = (): void => {
    this.isGone = true;
    this.#onGone?.();
  };
  readonly #onIdle = (): void => {
    if (this.#hasTaken()) return void this.#response.setTimeout(this.#idleMs);
    this.idleError = new Error(`the client took nothing for ${this.#idleMs} ms`);
    this.#response.destroy();
  };
  isGone = false;
  /** Set where the client was cut because it took nothing. */
  idleError: Error | undefined;

  constructor(response: ServerResponse, { idleMs, unsent }: SinkOptions) {
    this.#response = response;
    this.#idleMs = idleMs;
    this.#unsent = unsent;
    response.on('timeout', this.#onIdle);
    if (response.destroyed) this.#onClose();
    else response.once('close', this.#onClose);
  }

  /** The descriptor of the client's connection, where bytes may be sent past Node: not where they are coded on the way. */
  get descriptor(): number | undefined {
    return this.#response.chunkedEncoding ? undefined : this.#socketDescriptor();
  }

  #socketDescriptor(): number | undefined {
    const { socket } = this.#response;
    if (socket === null || 'encrypted' in socket) return undefined;
    const { fd = -1 } = (socket as { _handle?: { fd?: number } | null })._handle ?? {};
    return fd < 0 ? undefined : fd;
  }

  /**
   * Whether the client has taken anything since the system was last asked. Node knows only when the system takes bytes
   * of it, which is when a third of a buffer of megabytes is free: of a slow client, after minutes.
   */
  #hasTaken(): boolean {
    const before = this.#unsentBefore;
    this.#unsentBefore = this.#askUnsent();
    return this.#unsentBefore !== before;
  }

  #askUnsent(): number | undefined {
    const descriptor = this.#unsent && this.#socketDescriptor();
    return descriptor === undefined ? undefined : this.#unsent?.(descriptor);
  }

  /** Sends the headers; bytes may be long in coming. */
  flushHeaders(): void {
    if (!this.isGone) this.#response.flushHeaders();
  }

  /**
   * Resolves when the bytes, and all that was sent before them, have left the process, or the client has gone:
   * their buffer is free then.
   */
  write(bytes: Uint8Array): Promise<unknown> {
    return this.#sent((done) => this.#response.write(bytes, done));
  }

  /** Resolves when the last bytes have left, or the client has. */
  end(bytes: Uint8Array): Promise<unknown> {
    return this.#sent((done) => this.#response.end(bytes, done));
  }

  /** Resolves with what is awaited, or with undefined once the client has gone: what may never come is not waited for. */
  unlessGone<T>(awaited: Promise<T>): Promise<T | undefined> {
    // Nobody listens any more to a failure that comes once the client has gone.
    awaited.catch(() => {});
    return this.#unlessGone(awaited);
  }

  /** Cuts the connection: the client must not take what it has for the whole. */
  cut(): void {
    this.#response.destroy();
  }

  /** Whether all has been handed to the connection. */
  get isFinished(): boolean {
    return this.#response.writableFinished;
  }

  release(): void {
    this.#response.off('close', this.#onClose);
    this.#response.off('timeout', this.#onIdle);
  }

  #sent(send: (done: () => void) => void): Promise<unknown> {
    if (this.isGone) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    // Armed only while the client is waited for: that upstream is slow is not the client's fault. Node's socket
    // timeout does not fire while bytes still leave.
    this.#response.setTimeout(this.#idleMs);
    send(() => {
      this.#response.setTimeout(0);
      resolve(undefined);
    });
    this.#unsentBefore = this.#askUnsent();
    return this.#unlessGone(promise);
  }

  /**
   * One wait at a time. Not Promise.race with a promise of the client's going: that one would keep each slice
   * it was raced with until the response is over, which is the whole blob in memory for every client.
   */
  #unlessGone<T>(awaited: Promise<T>): Promise<T | undefined> {
    if (this.isGone) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#onGone = () => resolve(undefined);
      awaited.then(resolve, reject);
    });
  }
}
