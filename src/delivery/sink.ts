import type { ServerResponse } from 'node:http';

export interface SinkOptions {
  /** Longest time in milliseconds in which the client may take nothing; 0: for ever. */
  readonly idleMs: number;
  /** Returns the number of bytes that the system holds for a connection; absent if the system cannot be asked. */
  readonly unsent?: ((descriptor: number) => number | undefined) | undefined;
}

/** Writes to a response, and knows when its client has gone. */
export class Sink {
  readonly #response: ServerResponse;
  readonly #idleMs: number;
  readonly #unsent: SinkOptions['unsent'];
  /** Number of bytes that the system held when it was last asked. */
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
  /** Set if the connection was cut because the client took nothing. */
  idleError: Error | undefined;

  constructor(response: ServerResponse, { idleMs, unsent }: SinkOptions) {
    this.#response = response;
    this.#idleMs = idleMs;
    this.#unsent = unsent;
    response.on('timeout', this.#onIdle);
    if (response.destroyed) this.#onClose();
    else response.once('close', this.#onClose);
  }

  /**
   * The descriptor of the client's connection; undefined if Node encodes the bytes, so that none may be sent past it.
   */
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
   * Whether the client has taken anything since the system was last asked. Node only knows when the system takes bytes
   * from it. That happens when a third of a buffer of megabytes is free: for a slow client, after minutes.
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

  /** Sends the headers at once: the first bytes may take long to come. */
  flushHeaders(): void {
    if (!this.isGone) this.#response.flushHeaders();
  }

  /**
   * Writes bytes. Resolves when they, and all that was sent before them, have left the process, or the client has gone:
   * then their buffer is free.
   */
  write(bytes: Uint8Array): Promise<unknown> {
    return this.#sent((done) => this.#response.write(bytes, done));
  }

  /** Writes the last bytes. Resolves when they have left the process, or the client has gone. */
  end(bytes: Uint8Array): Promise<unknown> {
    return this.#sent((done) => this.#response.end(bytes, done));
  }

  /** Waits for a value that may never come. Resolves with it, or with undefined once the client has gone. */
  unlessGone<T>(awaited: Promise<T>): Promise<T | undefined> {
    // A failure that comes after the client has gone has no other handler.
    awaited.catch(() => {});
    return this.#unlessGone(awaited);
  }

  /** Cuts the connection: the client must not take the part that it has for the whole. */
  cut(): void {
    this.#response.destroy();
  }

  /** Whether all bytes have been handed to the connection. */
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
    // The timeout is armed only while the sink waits for the client, which is not to blame for a slow upstream. Node's
    // socket timeout does not fire while bytes still leave.
    this.#response.setTimeout(this.#idleMs);
    send(() => {
      this.#response.setTimeout(0);
      resolve(undefined);
    });
    this.#unsentBefore = this.#askUnsent();
    return this.#unlessGone(promise);
  }

  /**
   * Allows one wait at a time. Promise.race with one long-lived promise, which resolves when the client has gone, would
   * keep every slice until the response is over: the whole blob in memory, for every client.
   */
  #unlessGone<T>(awaited: Promise<T>): Promise<T | undefined> {
    if (this.isGone) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#onGone = () => resolve(undefined);
      awaited.then(resolve, reject);
    });
  }
}
