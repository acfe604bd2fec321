import type { BlobReader } from '../../src/store/blob-store.ts';

export interface ScriptedReaderOptions {
  /** A file with the bytes, for those who read past the reader. */
  readonly fd?: number;
  /** Bytes that a single read gives at most. */
  readonly perRead?: number;
  /** Bytes that are there at first; more by `arrive`. All of them unless told. */
  readonly available?: number;
  /** Reading at this position or beyond it fails. */
  readonly failsAt?: number;
  /** What it fails with. */
  readonly failure?: Error;
  /** The blob ends here, whatever was said of its size. */
  readonly endsAt?: number;
}

/** The byte of every scripted blob at a position: 251 is prime, so that no two slices look the same. */
function byteAt(position: number): number {
  return position % 251;
}

export function bytesOf(start: number, end: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: end - start }, (_, index) => byteAt(start + index)));
}

/** A blob of any size that takes no memory, read as the test says; it notes what was read of it, and into what. */
export class ScriptedReader implements BlobReader {
  readonly fd: number | undefined;
  readonly size: number;
  /** Up to where it was read. */
  furthest = 0;
  reads = 0;
  isClosed = false;
  /** The memory that was read into. */
  readonly buffers = new Set<ArrayBufferLike>();
  readonly #options: ScriptedReaderOptions;
  #available: number;
  #wake: (() => void)[] = [];

  constructor(size: number, options: ScriptedReaderOptions = {}) {
    this.size = size;
    this.fd = options.fd;
    this.#options = options;
    this.#available = options.available ?? size;
  }

  /** So many bytes more are there. */
  arrive(bytes: number): void {
    this.#available += bytes;
    for (const wake of this.#wake.splice(0)) wake();
  }

  async available(position: number): Promise<number> {
    const { failsAt = Infinity, endsAt = this.size, failure } = this.#options;
    for (;;) {
      if (this.isClosed) throw new DOMException('the reader was closed', 'AbortError');
      if (position >= failsAt) throw failure ?? new Error(`the bytes end at ${failsAt}`);
      if (position >= endsAt) return position;
      const end = Math.min(this.#available, endsAt, failsAt);
      if (end > position) return end;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  read(into: Uint8Array, position: number): Promise<number> {
    const count = Math.min(into.length, this.#options.perRead ?? Infinity);
    for (let index = 0; index < count; index += 1) into[index] = byteAt(position + index);
    this.reads += 1;
    this.furthest = Math.max(this.furthest, position + count);
    this.buffers.add(into.buffer);
    return Promise.resolve(count);
  }

  close(): Promise<void> {
    this.isClosed = true;
    this.arrive(0);
    return Promise.resolve();
  }
}
