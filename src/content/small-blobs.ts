import { LRUCache } from 'lru-cache';
import type { Digest } from '../oci/digest.ts';
import type { BlobReader } from '../store/blob-store.ts';
import { BytesReader } from '../store/bytes-reader.ts';
import type { StoredBlobs } from './stored-blobs.ts';

/** Bytes. Image configs are smaller, and every pull asks for one. */
const LARGEST = 64 * 1024;
/** What an entry costs beside its bytes. */
const ENTRY_OVERHEAD = 512;

export interface SmallBlobsOptions {
  readonly stored: StoredBlobs;
  /** Bytes of blobs kept in memory; 0: none. */
  readonly memoryBytes: number;
}

/**
 * Stored blobs, the small ones from memory: to open, measure, read and close a file costs many times what sending a
 * few KB does. They are hashed whenever they are read from disk, as manifests are.
 */
export class SmallBlobs {
  readonly #memory: LRUCache<Digest, Uint8Array>;
  readonly #options: SmallBlobsOptions;
  /** How often something was forgotten: what was read before is not kept after it. */
  #forgotten = 0;

  constructor(options: SmallBlobsOptions) {
    this.#options = options;
    this.#memory = new LRUCache({
      maxSize: Math.max(1, options.memoryBytes),
      sizeCalculation: ({ length }) => length + ENTRY_OVERHEAD,
    });
  }

  /**
   * Undefined where the store has no such bytes. The caller closes the reader.
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

  /** Forgets what is not to be had from memory any more. */
  forget(digests: Iterable<Digest>): void {
    this.#forgotten += 1;
    for (const digest of digests) this.#memory.delete(digest);
  }
}
