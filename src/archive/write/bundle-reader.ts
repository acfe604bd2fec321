import type { Digest } from '../../oci/digest.ts';
import type { BlobReader } from '../../store/blob-store.ts';
import { segmentAt, type Bundle, type BundleSegment } from './bundle.ts';

/** Opens a stored blob; undefined if the store does not have it (any more). */
export type OpenStored = (digest: Digest) => Promise<BlobReader | undefined>;

/** A blob of a bundle is not stored any more, or not with its size. */
export class BundleGapError extends Error {
  override readonly name = 'BundleGapError';
  readonly digest: Digest;

  constructor(digest: Digest) {
    super(`${digest} is no longer stored as the bundle needs it: export it again`);
    this.digest = digest;
  }
}

/**
 * Reads a bundle at any position, from the blobs that are stored. At most one blob is open at a time, so a bundle read
 * in order opens each blob once.
 */
export class BundleReader implements BlobReader {
  readonly fd = undefined;
  readonly #bundle: Bundle;
  readonly #open: OpenStored;
  #current: { readonly digest: Digest; readonly reader: BlobReader } | undefined;
  #isClosed = false;

  constructor(bundle: Bundle, open: OpenStored) {
    this.#bundle = bundle;
    this.#open = open;
  }

  get size(): number {
    return this.#bundle.size;
  }

  async available(position: number): Promise<number> {
    this.#requireOpen();
    return Math.max(position, this.#bundle.size);
  }

  /** @throws BundleGapError, StoreError */
  async read(into: Uint8Array, position: number): Promise<number> {
    this.#requireOpen();
    const segment = this.#bundle.segments[segmentAt(this.#bundle, position)];
    if (segment === undefined) throw new RangeError(`nothing to read at ${position}: see available()`);
    const start = position - segment.offset;
    const part = into.subarray(0, segment.size - start);
    if (typeof segment.content === 'string') return this.#readBlob(segment.content, segment, part, start);
    part.set(segment.content.subarray(start, start + part.length));
    return part.length;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#closeCurrent();
  }

  async #readBlob(digest: Digest, segment: BundleSegment, into: Uint8Array, start: number): Promise<number> {
    const reader = await this.#readerOf(digest);
    if (reader.size !== segment.size) throw new BundleGapError(digest);
    return reader.read(into, start);
  }

  async #readerOf(digest: Digest): Promise<BlobReader> {
    if (this.#current?.digest === digest) return this.#current.reader;
    await this.#closeCurrent();
    const reader = await this.#open(digest);
    if (reader === undefined) throw new BundleGapError(digest);
    if (this.#isClosed) await reader.close();
    this.#requireOpen();
    this.#current = { digest, reader };
    return reader;
  }

  async #closeCurrent(): Promise<void> {
    const { reader } = this.#current ?? {};
    this.#current = undefined;
    await reader?.close();
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new DOMException("the bundle's reader was closed", 'AbortError');
  }
}
