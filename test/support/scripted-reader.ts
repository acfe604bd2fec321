import type { BlobReader } from '../../src/store/blob-store.ts';

export interface ScriptedReaderOptions {
  /** The descriptor of a file with the bytes, for code that reads past the reader. */
  readonly fd?: number;
  /** The most bytes that a single read returns. */
  readonly perRead?: number;
  /** Bytes that are there at first; `arrive` adds more. Absent: all of them. */
  readonly available?: number;
  /** The position from which on reading fails. */
  readonly failsAt?: number;
  /** The error of a failed read. */
  readonly failure?: Error;
  /** The position at which the blob ends, in spite of its size. */
  readonly endsAt?: number;
}

/** Returns the byte of every scripted blob at a position: 251 is prime, so that no two slices look the same. */
function byteAt(position: number): number {
  return position % 251;
}

export function bytesOf(start: number, end: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: end - start }, (_, index) => byteAt(start + index)));
}

/** A blob of any size that takes no memory and is read as the test says. It notes the extent and buffers of reads. */
export class ScriptedReader implements BlobReader {
  readonly fd: number | undefined;
  readonly size: number;
  /** The highest position that was read. */
  furthest = 0;
  reads = 0;
  isClosed = false;
  /** The memory that reads have filled. */
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

  /** Makes this many more bytes available. */
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
