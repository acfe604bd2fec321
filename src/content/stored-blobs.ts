import type { Events } from '../events.ts';
import type { BlobIndex } from '../index/blob-index.ts';
import { digestAlgorithm, digestOf, type Digest } from '../oci/digest.ts';
import type { BlobReader, BlobStore, Stored } from '../store/blob-store.ts';
import { quarantineOf, type Quarantine } from '../store/capabilities.ts';
import { isUnreadable, VerificationError, type StoreError } from '../store/error.ts';
import { ForwardingReader } from '../store/forwarding-reader.ts';
import { readWhole } from '../store/read-whole.ts';
import { tolerate } from '../tolerate.ts';

export interface StoredBlobsOptions {
  readonly store: BlobStore;
  readonly index: BlobIndex;
  readonly events: Events;
  /** Called with a digest whose bytes the store has no longer, and waited for. Never rejects. */
  readonly onSetAside: (digest: Digest) => Promise<void>;
}

/**
 * Opens committed bytes to serve them. If bytes turn out to be damaged (unreadable, or a file that has become shorter),
 * they are set aside, so that the next pull fetches them from upstream again. Hashing all bytes at every pull would
 * cost more than the disks' errors do: `larder verify` hashes them instead.
 */
export class StoredBlobs {
  readonly #options: StoredBlobsOptions;
  readonly #quarantine: Quarantine;

  constructor(options: StoredBlobsOptions) {
    this.#options = options;
    this.#quarantine = quarantineOf(options.store);
  }

  /**
   * Opens a blob; undefined if the store does not have it. The caller closes the reader.
   * @throws StoreError, IndexError
   */
  async open(digest: Digest): Promise<BlobReader | undefined> {
    const { store } = this.#options;
    const reader = await this.#unlessUnreadable(digest, () => store.open(digest));
    if (reader === undefined) return undefined;
    let isRight = false;
    try {
      isRight = !(await this.#hasChanged(digest, reader.size));
    } finally {
      if (!isRight) await reader.close();
    }
    if (!isRight) return undefined;
    return new WatchedReader(reader, (error, position) => this.#suspect(digest, error, position));
  }

  /**
   * Looks up a blob; undefined if the store does not have it.
   * @throws StoreError, IndexError
   */
  async stat(digest: Digest): Promise<Stored | undefined> {
    const { store } = this.#options;
    const stored = await this.#unlessUnreadable(digest, () => store.stat(digest));
    return (await this.#hasChanged(digest, stored?.size)) ? undefined : stored;
  }

  /**
   * Reads small bytes whole, hashes them, and closes the reader.
   * @returns undefined if they have changed on the disk: then they are set aside
   * @throws StoreError, IndexError
   */
  async readVerified(digest: Digest, reader: BlobReader): Promise<Uint8Array | undefined> {
    const bytes = await readWhole(reader);
    if (digestOf(bytes, digestAlgorithm(digest)) === digest) return bytes;
    await this.setAside(digest, new VerificationError({ digest }, 'the stored bytes have changed'));
    return undefined;
  }

  /**
   * Moves wrong or unreadable bytes to the quarantine, and forgets them. The index still knows which repositories they
   * belong to and, if they were a manifest, what it refers to.
   * @throws StoreError, IndexError
   */
  async setAside(digest: Digest, error: Error): Promise<void> {
    const { index, events, onSetAside } = this.#options;
    if (!(await this.#quarantine.setAside(digest))) return;
    try {
      await index.loseBlob(digest);
    } finally {
      // Only after the row is gone: bytes that are stored again get a row of their own.
      await onSetAside(digest);
    }
    events.emit({ kind: 'blob-quarantined', digest, error });
  }

  async #unlessUnreadable<T>(digest: Digest, look: () => Promise<T>): Promise<T | undefined> {
    try {
      return await look();
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      await this.setAside(digest, error);
      return undefined;
    }
  }

  async #hasChanged(digest: Digest, size: number | undefined): Promise<boolean> {
    if (size === undefined) return false;
    const known = await tolerate(this.#options.events, 'look up a blob', () =>
      this.#options.index.blob(digest),
    );
    if (known === undefined || known.size === size) return false;
    const error = new VerificationError(known, `${size} bytes are left of ${known.size}`);
    await this.setAside(digest, error);
    return true;
  }

  /**
   * Handles a failed read. The bytes may have been replaced by good ones since the reader was opened, so they are set
   * aside only if the same read fails once more.
   */
  async #suspect(digest: Digest, error: StoreError, position: number): Promise<void> {
    const { store, events } = this.#options;
    await tolerate(events, 'set an unreadable blob aside', async () => {
      const isStill = await isUnreadableAt(store, digest, position);
      if (isStill) await this.setAside(digest, error);
    });
  }
}

async function isUnreadableAt(store: BlobStore, digest: Digest, position: number): Promise<boolean> {
  let reader: BlobReader | undefined;
  try {
    reader = await store.open(digest);
    if (reader === undefined || position >= (reader.size ?? 0)) return reader !== undefined;
    await reader.read(new Uint8Array(1), position);
    return false;
  } catch (error) {
    return isUnreadable(error);
  } finally {
    await reader?.close();
  }
}

/** A reader that reports unreadable bytes, and fails only once the report has been dealt with. */
class WatchedReader extends ForwardingReader {
  readonly #onUnreadable: (error: StoreError, position: number) => Promise<void>;

  constructor(inner: BlobReader, onUnreadable: (error: StoreError, position: number) => Promise<void>) {
    super(inner);
    this.#onUnreadable = onUnreadable;
  }

  override async read(into: Uint8Array, position: number): Promise<number> {
    try {
      return await super.read(into, position);
    } catch (error) {
      if (isUnreadable(error)) await this.#onUnreadable(error, position);
      throw error;
    }
  }
}
