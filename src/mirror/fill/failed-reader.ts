import type { BlobReader } from '../../store/blob-store.ts';

/** A reader of bytes that the store did not take: every read fails with the store's error. */
export class FailedReader implements BlobReader {
  readonly fd = undefined;
  readonly size: number | undefined;
  readonly #error: Error;

  constructor(size: number | undefined, error: Error) {
    this.size = size;
    this.#error = error;
  }

  available(): Promise<number> {
    return Promise.reject(this.#error);
  }

  read(): Promise<number> {
    return Promise.reject(this.#error);
  }

  async close(): Promise<void> {}
}
