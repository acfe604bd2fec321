import type { BlobReader } from './blob-store.ts';

/** Reads bytes that are already in memory. */
export class BytesReader implements BlobReader {
  readonly fd = undefined;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  available(position: number): Promise<number> {
    return Promise.resolve(Math.max(position, this.#bytes.length));
  }

  read(into: Uint8Array, position: number): Promise<number> {
    const bytes = this.#bytes.subarray(position, position + into.length);
    if (bytes.length === 0) return Promise.reject(new RangeError(`nothing to read at ${position}`));
    into.set(bytes);
    return Promise.resolve(bytes.length);
  }

  async close(): Promise<void> {
    // Nothing is open.
  }
}
