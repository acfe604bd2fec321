import { LRUCache } from 'lru-cache';
import type { Digest } from '../oci/digest.ts';
import type { BlobReader } from '../store/blob-store.ts';
import { BytesReader } from '../store/bytes-reader.ts';
import type { StoredBlobs } from './stored-blobs.ts';

/** Greatest size of a small blob, in bytes. Image configs are smaller, and every pull asks for one. */
const LARGEST = 64 * 1024;
/** Bytes that an entry costs beside its content. */
const ENTRY_OVERHEAD = 512;

export interface SmallBlobsOptions {
  readonly stored: StoredBlobs;
  /** Bytes of blobs kept in memory; 0: none. */
  readonly memoryBytes: number;
}

/**
 * Opens stored blobs, small ones from memory: to open, measure, read and close a file costs many times what it costs to
 * send a few KB. Small blobs are hashed whenever they are read from disk, as manifests are.
 */
export class SmallBlobs {
  readonly #memory: LRUCache<Digest, Uint8Array>;
  readonly #options: SmallBlobsOptions;
  /** Number of calls of `forget`: bytes that were read before a call are not kept after it. */
  #forgotten = 0;

  constructor(options: SmallBlobsOptions) {
    this.#options = options;
    this.#memory = new LRUCache({
      maxSize: Math.max(1, options.memoryBytes),
      sizeCalculation: ({ length }) => length + ENTRY_OVERHEAD,
    });
  }

  /**
   * Opens a blob; undefined if the store does not have it. The caller closes the reader.
   * @throws StoreError, IndexError
   */
  async open(digest: Digest): Promise<BlobReader | undefined> {
    const known = this.#memory.get(digest);
    if (known !== undefined) return new BytesReader(known);
    const { stored } = this.#options;
    const forgotten = this.#forgotten;
    const reader = await stored.open(digest);
    if (reader?.size === undefined || reader.size > LARGEST) return reader;
    const bytes = await stored.readVerified(digest, reader);
    if (bytes === undefined) return undefined;
    if (forgotten === this.#forgotten) this.#memory.set(digest, bytes);
    return new BytesReader(bytes);
  }

  /** Forgets digests that must not be served from memory any more. */
  forget(digests: Iterable<Digest>): void {
    this.#forgotten += 1;
    for (const digest of digests) this.#memory.delete(digest);
  }
}
