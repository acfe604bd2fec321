import type { BlobReader } from './blob-store.ts';

/** A reader that forwards every call to another one; subclasses add what else must happen. */
export class ForwardingReader implements BlobReader {
  readonly #inner: BlobReader;

  constructor(inner: BlobReader) {
    this.#inner = inner;
  }

  get size(): number | undefined {
    return this.#inner.size;
  }

  get fd(): number | undefined {
    return this.#inner.fd;
  }

  available(position: number): Promise<number> {
    return this.#inner.available(position);
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#inner.read(into, position);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
