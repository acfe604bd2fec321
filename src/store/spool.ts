import type { Digest } from '../oci/digest.ts';
import type { Stored } from './blob-store.ts';
import type { WritableFile } from './capabilities.ts';

/** Open bytes, without knowledge of how many of them may be read. */
export interface Source {
  readonly fd: number | undefined;
  /** @returns the number of bytes put into `into`, at least 1. Throws StoreError. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Closes the source once running reads have ended. */
  close(): Promise<void>;
}

/** Lets other threads write to a spool that is a file. */
export interface DirectSpool {
  /** Opens the file for writing. Throws StoreError. */
  open(): Promise<WritableFile>;
  /** Counts bytes that were written through a descriptor of `open`. */
  countWritten(bytes: number): void;
  /** Bytes in the file. Throws StoreError. */
  size(): Promise<number>;
}

/**
 * Holds the bytes of one ingest until they are published: the part of an ingest that differs from store to store.
 * Exactly one of `publish`, `quarantine` and `discard` ends it; if one of the first two fails, `discard` does.
 */
export interface Spool {
  /** Absent if only `append` can write. */
  readonly direct?: DirectSpool;
  /** Writes all of the chunks; `position` is the number of bytes written before. Throws StoreError. */
  append(chunks: readonly Uint8Array[], position: number): Promise<void>;
  /** Opens the bytes anew, also after `publish`. Throws StoreError. */
  open(): Promise<Source>;
  /** Makes the bytes durable and visible, in place of any that the store has of the digest. Throws StoreError. */
  publish(stored: Stored): Promise<void>;
  /**
   * Sets the bytes aside for a human to look at.
   * @param expected the digest that they should have, if known
   * @throws StoreError
   */
  quarantine(expected: Digest | undefined): Promise<void>;
  /** Deletes the bytes. Throws StoreError. */
  discard(): Promise<void>;
}
