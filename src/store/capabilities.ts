import type { Digest } from '../oci/digest.ts';
import type { BlobStore } from './blob-store.ts';
import { StoreError } from './error.ts';

/**
 * What a store may be able to do beyond its port. Each capability is an optional member: a store that wraps another one
 * passes the member on by its name, and loses the capability by leaving it out. Code that needs a capability calls its
 * function below once, when it is constructed, and gets a fallback if the store does not have it.
 *
 * A new capability, such as the URL by which an object store lets clients fetch a blob themselves, takes a member here,
 * a function below, and a test in `capabilities.contract.ts`. It is added together with the code that uses it.
 */
export interface StoreCapabilities {
  /** A place for wrong bytes. A bucket has none. */
  readonly quarantine?: Quarantine | undefined;
  /**
   * Bytes that this process may still write. An object store knows no such limit.
   * @throws StoreError
   */
  readonly freeBytes?: (() => Promise<number>) | undefined;
}

/** The content of a quarantine. */
export interface QuarantineStats {
  readonly blobs: number;
  readonly bytes: number;
  /** Expected digests of the bytes, if known, each once; the store may have got right bytes for them meanwhile. */
  readonly digests: readonly Digest[];
}

/** Keeps wrong or unreadable bytes for a human to look at. Its methods throw StoreError. */
export interface Quarantine {
  /**
   * Sets committed bytes aside: the store has them no longer. Open readers can still read them.
   * @returns whether the store had them.
   */
  setAside(digest: Digest): Promise<boolean>;
  /** Counts the content that is still kept, set aside by this quarantine or by an ingest that failed verification. */
  stats(): Promise<QuarantineStats>;
  /**
   * Deletes the oldest content until `bytes` bytes are gone or nothing is left.
   * @returns how many bytes are gone
   */
  drop(bytes: number): Promise<number>;
}

/**
 * Lets another thread write to the file of an ingest, past the store, and hash what it writes. The writer tells the
 * store how far it has come, and the store does the rest. `Ingest.direct` is this, if the store has files.
 */
export interface DirectWriting {
  /**
   * Opens the file for writing, from the ingest's `offset` on. The descriptor stays open until the caller closes it,
   * even when the ingest ends: a thread that still writes then writes to the deleted file, and never to another file
   * that has got the same descriptor number. All writing must have ended before `verify` or `commit`
   * is called.
   * @throws StoreError, and what ended the ingest
   */
  open(): Promise<WritableFile>;
  /**
   * Moves `offset` on by bytes that were written there, and wakes the followers, as `Ingest.write` does. Only one
   * call of this method or of `Ingest.write` may run at a time.
   * @param digest of all bytes up to the new offset, if the writer has hashed them: `verify` trusts it. Without it,
   *   `verify` reads the bytes again to hash them.
   * @throws VerificationError if the bytes go beyond the expected size; it has ended the ingest
   */
  advance(bytes: number, digest?: Digest): Promise<void>;
}

/** A file that is open for writing at any position. */
export interface WritableFile {
  readonly fd: number;
  close(): Promise<void>;
}

/** Returns the store's quarantine; if it has none, one that keeps nothing: setting bytes aside deletes them. */
export function quarantineOf(store: BlobStore): Quarantine {
  return (
    store.quarantine ?? {
      setAside: (digest) => store.delete(digest),
      stats: async () => ({ blobs: 0, bytes: 0, digests: [] }),
      drop: async () => 0,
    }
  );
}

/**
 * Returns a function that gives the bytes that may still be written to the store, or rejects with StoreError if the
 * store cannot tell.
 */
export function freeBytesOf(store: BlobStore): () => Promise<number> {
  const unknown = new StoreError('tell how much may be stored', { code: 'ENOTSUP' });
  return store.freeBytes ?? (() => Promise.reject(unknown));
}
