import type { ServerResponse } from 'node:http';
import type { BlobReader } from '../store/blob-store.ts';

/** Large reads cost few system calls, small ones little memory a client; two of them let the disk and the socket work at the same time. */
const SLICE = 256 * 1024;

export interface Delivered {
  /** Bytes handed to the socket. */
  readonly bytes: number;
  /** False where the client left, or the bytes ended or failed before `end`. */
  readonly complete: boolean;
  /** Why it is not complete, where it was not the client. */
  readonly error?: unknown;
}

/**
 * Sends the bytes `[start, end)` of a blob as the body of a response whose headers are written, at the
 * client's speed, with at most two slices in memory. `end` undefined: to the end of the blob.
 * The response is ended if, and only if, every byte was sent; otherwise the connection is cut, so that no
 * client takes a part for the whole. The reader stays the caller's to close.
 * @param idleMs how long the client may take nothing; milliseconds, 0 for ever
 */
export async function deliver(
  reader: BlobReader,
  start: number,
  end: number | undefined,
  response: ServerResponse,
  idleMs = 0,
): Promise<Delivered> {
  const sink = new Sink(response, idleMs);
  const slices = new Slices(reader, end);
  let position = start;
  try {
    let slice = await sink.unlessGone(slices.next(position));
    while (slice.length > 0 && !sink.isGone) {
      const written = sink.write(slice);
      position += slice.length;
      // The next slice is read while this one is on its way.
      const next = slices.next(position);
      next.catch(() => {});
      await written;
      slice = await sink.unlessGone(next);
    }
    if (sink.isGone) return { bytes: position - start, complete: false, error: sink.idleError };
    if (end !== undefined && position < end) throw new Error(`the blob ended at byte ${position} of ${end}`);
    await sink.end();
    // Not whether the client is there: the response of a whole answer may be closed by now.
    return { bytes: position - start, complete: response.writableFinished };
  } catch (error) {
    const wasGone = sink.isGone;
    response.destroy();
    const delivered = { bytes: position - start, complete: false };
    return { ...delivered, error: wasGone ? sink.idleError : error };
  } finally {
    sink.release();
  }
}

const NOTHING = new Uint8Array();

/** Reads a blob into two buffers in turn: while one is on its way to the client, the other is read into. */
class Slices {
  readonly #reader: BlobReader;
  readonly #end: number | undefined;
  #free: Buffer | undefined;
  #other: Buffer | undefined;

  constructor(reader: BlobReader, end: number | undefined) {
    this.#reader = reader;
    this.#end = end;
  }

  /** At most a slice of bytes from `position`, valid until the call after the next one; none at the end. */
  async next(position: number): Promise<Uint8Array> {
    if (this.#end !== undefined && position >= this.#end) return NOTHING;
    const available = await this.#reader.available(position);
    const upTo = this.#end === undefined ? available : Math.min(available, this.#end);
    if (upTo <= position) return NOTHING;
    const buffer = this.#take((this.#end ?? Number.POSITIVE_INFINITY) - position);
    const count = await this.#reader.read(buffer.subarray(0, upTo - position), position);
    return buffer.subarray(0, count);
  }

  #take(left: number): Buffer {
    const buffer = this.#free ?? Buffer.allocUnsafeSlow(Math.min(SLICE, left));
    this.#free = this.#other;
    this.#other = buffer;
    return buffer;
  }
}

/** A response to write to, that knows when its client has gone. */
class Sink {
  readonly #response: ServerResponse;
  readonly #idleMs: number;
  #onGone: (() => void) | undefined;
  readonly #onClose = (): void => {
    this.isGone = true;
    this.#onGone?.();
  };
  readonly #onIdle = (): void => {
    this.idleError = new Error(`the client took nothing for ${this.#idleMs} ms`);
    this.#response.destroy();
  };
  isGone = false;
  /** Set where the client was cut because it took nothing. */
  idleError: Error | undefined;

  constructor(response: ServerResponse, idleMs: number) {
    this.#response = response;
    this.#idleMs = idleMs;
    response.on('timeout', this.#onIdle);
    if (response.destroyed) this.#onClose();
    else response.once('close', this.#onClose);
  }

  /** Resolves when the bytes have left the process, or the client has gone: their buffer is free then. */
  write(bytes: Uint8Array): Promise<unknown> {
    if (this.isGone) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    // Armed only while the client is waited for: that upstream is slow is not the client's fault. Node's socket
    // timeout does not fire while bytes still leave.
    this.#response.setTimeout(this.#idleMs);
    this.#response.write(bytes, () => {
      this.#response.setTimeout(0);
      resolve(undefined);
    });
    return this.#unlessGone(promise);
  }

  /** The slice, or none once the client has gone: bytes that may never come are not waited for. */
  async unlessGone(slice: Promise<Uint8Array>): Promise<Uint8Array> {
    // Nobody listens any more to a failure that comes once the client has gone.
    slice.catch(() => {});
    return (await this.#unlessGone(slice)) ?? NOTHING;
  }

  /** Resolves when the last byte has left, or the client has. */
  end(): Promise<unknown> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#response.end(() => resolve(undefined));
    return this.#unlessGone(promise);
  }

  release(): void {
    this.#response.off('close', this.#onClose);
    this.#response.off('timeout', this.#onIdle);
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
