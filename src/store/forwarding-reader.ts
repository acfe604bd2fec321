import type { BlobReader } from './blob-store.ts';

/** A reader that does what another one does; to be extended with what is to happen beside that. */
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
