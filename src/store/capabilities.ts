import type { Digest } from '../oci/digest.ts';
import type { BlobStore } from './blob-store.ts';
import { StoreError } from './error.ts';

/**
 * What a store may be able to do beyond its port. Each is a member that is there or not: a store that wraps another one
 * hands it on by its name, and loses it by leaving it out. A part of the program that needs one asks the function below
 * for it once, when it is made, and gets what to do where the store has none.
 *
 * The place for one more, such as the URL by which an object store lets clients fetch a blob themselves: a member here,
 * a function below, and a test in `capabilities.contract.ts`. It comes with the part that uses it.
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

/** What is set aside. */
export interface QuarantineStats {
  readonly blobs: number;
  readonly bytes: number;
  /** What the bytes were to be where that is known, each digest once; the store may have got it again meanwhile. */
  readonly digests: readonly Digest[];
}

/** Where bytes that are wrong or unreadable are kept for a human to look at. Its methods throw StoreError. */
export interface Quarantine {
  /**
   * Sets aside committed bytes: the store has them no longer. What is open stays readable.
   * @returns whether there was something to set aside.
   */
  setAside(digest: Digest): Promise<boolean>;
  /** What was set aside, here and by ingests that failed verification, and is still kept. */
  stats(): Promise<QuarantineStats>;
  /**
   * Deletes of what was set aside the oldest, until so many bytes are gone or nothing is left.
   * @returns how many bytes are gone
   */
  drop(bytes: number): Promise<number>;
}

/**
 * Writing to the file of an ingest past the store: so that another thread may write, and hash what it writes. The store
 * is told how far the writer has come, and does the rest. `Ingest.direct` has it, where the store has files.
 */
export interface DirectWriting {
  /**
   * Opens the file for writing, from the ingest's `offset` on. The descriptor is the caller's until the caller closes it,
   * whatever becomes of the ingest: a thread that still writes when the ingest is aborted writes to a file that is gone,
   * and never to one that has got its number. Nothing may be written any more when `commit` is called.
   * @throws StoreError, and what ended the ingest
   */
  open(): Promise<WritableFile>;
  /**
   * So many bytes more lie in the file, at `offset`. Wakes the followers, as `Ingest.write` does; one call at a time of
   * either.
   * @param digest of all bytes up to there, where the writer has hashed them: commit believes it. Without it commit reads
   *   the bytes again to hash them.
   * @throws VerificationError where the bytes go beyond the expected size; it has ended the ingest
   */
  advance(bytes: number, digest?: Digest): Promise<void>;
}

/** A file that is open for writing at any position. */
export interface WritableFile {
  readonly fd: number;
  close(): Promise<void>;
}

/** The store's quarantine; where it has none, one that keeps nothing: bytes that are set aside are deleted. */
export function quarantineOf(store: BlobStore): Quarantine {
  return (
    store.quarantine ?? {
      setAside: (digest) => store.delete(digest),
      stats: async () => ({ blobs: 0, bytes: 0, digests: [] }),
      drop: async () => 0,
    }
  );
}

/** Tells the bytes that may still be written to the store. It rejects with StoreError where the store cannot tell. */
export function freeBytesOf(store: BlobStore): () => Promise<number> {
  const unknown = new StoreError('tell how much may be stored', { code: 'ENOTSUP' });
  return store.freeBytes ?? (() => Promise.reject(unknown));
}
