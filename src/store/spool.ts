import type { Digest } from '../oci/digest.ts';
import type { Stored } from './blob-store.ts';
import type { WritableFile } from './capabilities.ts';

/** Open bytes, without knowledge of how many of them may be read. */
export interface Source {
  readonly fd: number | undefined;
  /** @returns how many bytes were put into `into`, at least 1. Throws StoreError. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Waits for reads that are under way. */
  close(): Promise<void>;
}

/** What a spool that is a file lets others do with it. */
export interface DirectSpool {
  /** Throws StoreError. */
  open(): Promise<WritableFile>;
  /** So many bytes more were written by another one's descriptor. */
  wrote(bytes: number): void;
  /** Bytes in the file. Throws StoreError. */
  size(): Promise<number>;
}

/**
 * Where the bytes of one ingest lie until they are published: the part of an ingest that differs from store
 * to store. Exactly one of `publish`, `quarantine` and `discard` ends it, `discard` also after a failed one.
 */
export interface Spool {
  /** Absent where only `append` can write. */
  readonly direct?: DirectSpool;
  /** Writes all of the chunks, `bytes` in all; `position` is the sum of what was appended before. Throws StoreError. */
  append(chunks: readonly Uint8Array[], position: number): Promise<void>;
  /** Opens the bytes anew, also after `publish`. Throws StoreError. */
  open(): Promise<Source>;
  /** Makes the bytes durable and visible, in place of what the store may have of the digest. Throws StoreError. */
  publish(stored: Stored): Promise<void>;
  /**
   * Sets the bytes aside for a human to look at.
   * @param expected what they were to be, where that is known
   * @throws StoreError
   */
  quarantine(expected: Digest | undefined): Promise<void>;
  /** Frees what the bytes take. Throws StoreError. */
  discard(): Promise<void>;
}
