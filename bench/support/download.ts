import { connect, type Socket } from 'node:net';

/** A URL on this machine. */
export interface Wanted {
  readonly port: number;
  readonly path: string;
}

export interface Downloaded {
  readonly status: number;
  /** Bytes of body. */
  readonly bytes: number;
  /** From the request to the first byte of body, and to the last; milliseconds. */
  readonly firstByteMs: number;
  readonly lastByteMs: number;
}

/** A client reads into the same buffer again and again, which costs it the least. */
const BUFFER = 256 * 1024;
const HEAD_END = '\r\n\r\n';

/**
 * A GET on a connection of its own, whose body is counted and dropped. Not node:http: the client shares the machine
 * with the server, so it does as little as possible.
 */
export class Download {
  readonly done: Promise<Downloaded>;
  readonly #socket: Socket;
  readonly #startedAt = performance.now();
  readonly #resolve: (downloaded: Downloaded) => void;
  readonly #reject: (error: Error) => void;
  #head = '';
  #status = 0;
  #length = Number.POSITIVE_INFINITY;
  #bytes = 0;
  #firstByteMs = Number.NaN;
  /** Bytes that may still be read before the next allowance. */
  #allowed = Number.POSITIVE_INFINITY;

  /** @param isHeld whether only the bytes that `allow` allows are read */
  constructor({ port, path }: Wanted, isHeld = false) {
    ({
      promise: this.done,
      resolve: this.#resolve,
      reject: this.#reject,
    } = Promise.withResolvers<Downloaded>());
    if (isHeld) this.#allowed = 0;
    const onread = {
      buffer: Buffer.allocUnsafe(isHeld ? BUFFER / 4 : BUFFER),
      callback: (count: number, buffer: Uint8Array) => this.#read(buffer, count),
    };
    this.#socket = connect({ host: '127.0.0.1', port, onread });
    this.#socket.on('error', this.#reject);
    this.#socket.on('close', () => this.#reject(new Error(`${path}: cut after ${this.#bytes} bytes`)));
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Allows it to read `bytes` more. Unused allowances add up to at most `limit` bytes. */
  allow(bytes: number, limit: number): void {
    this.#allowed = Math.min(this.#allowed + bytes, limit);
    if (this.#allowed > 0) this.#socket.resume();
  }

  leave(): void {
    this.#socket.destroy();
  }

  /** @returns whether to go on reading */
  #read(buffer: Uint8Array, count: number): boolean {
    const body = this.#status === 0 ? this.#readHead(buffer, count) : count;
    if (body > 0) this.#count(body);
    this.#allowed -= count;
    return this.#allowed > 0;
  }

  /** @returns how many of the bytes are body */
  #readHead(buffer: Uint8Array, count: number): number {
    this.#head += Buffer.from(buffer.subarray(0, count)).toString('latin1');
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) return 0;
    const head = this.#head.slice(0, end);
    const body = this.#head.length - end - HEAD_END.length;
    this.#head = '';
    this.#status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]);
    this.#length = Number(/^content-length: *(\d+)/im.exec(head)?.[1]);
    if (!(this.#length > 0)) this.#socket.destroy(new Error(`an answer without a length: ${head}`));
    return body;
  }

  #count(bytes: number): void {
    if (this.#bytes === 0) this.#firstByteMs = performance.now() - this.#startedAt;
    this.#bytes += bytes;
    if (this.#bytes < this.#length) return;
    const lastByteMs = performance.now() - this.#startedAt;
    this.#resolve({ status: this.#status, bytes: this.#bytes, firstByteMs: this.#firstByteMs, lastByteMs });
    this.#socket.destroy();
  }
}
