import type { Digest, DigestAlgorithm } from '../oci/digest.ts';
import type { DirectWriting, StoreCapabilities } from './capabilities.ts';

/** What is known of bytes before they are here: a fill knows their digest, a push may learn it with the last of them. */
export interface Expected {
  readonly digest?: Digest | undefined;
  /** Bytes, where a descriptor or a Content-Length told it. */
  readonly size?: number | undefined;
}

/** What an ingest begins with; nothing need be known. */
export interface IngestOptions extends Expected {
  /**
   * By which the bytes are hashed while they come: that of the digest where it is known, else sha256 unless told. A
   * digest of another algorithm at `commit` is a contradiction where this was told; else the bytes are read once more.
   */
  readonly algorithm?: DigestAlgorithm | undefined;
}

/** Bytes that are in the store. */
export interface Stored {
  readonly digest: Digest;
  readonly size: number;
}

/** Bytes as a listing tells of them. */
export interface Listed extends Stored {
  /** When they were published, where the store knows: milliseconds since the epoch. */
  readonly storedAt?: number;
}

/**
 * Bytes by digest (containerd's content store in small). Only verified bytes are ever visible in it.
 * Every implementation passes `blob-store.contract.ts`; what only some can do is in `capabilities.ts`.
 */
export interface BlobStore extends StoreCapabilities {
  /** Undefined where the store has no such bytes. */
  stat(digest: Digest): Promise<Stored | undefined>;
  /** Opens committed bytes; they stay readable until the reader is closed, even if deleted meanwhile. */
  open(digest: Digest): Promise<BlobReader | undefined>;
  /**
   * Begins to write. Two ingests of one digest do not disturb each other; the later commit replaces.
   * @throws ExpectationError where the algorithm is not that of the digest.
   */
  ingest(options: IngestOptions): Promise<Ingest>;
  /** @returns whether there was something to delete. */
  delete(digest: Digest): Promise<boolean>;
  /** All committed bytes, in no particular order. */
  list(): AsyncIterable<Listed>;
}

/**
 * Bytes to read by position, committed or still arriving. Owns what it has open: the caller closes it.
 */
export interface BlobReader {
  /** Bytes in all; undefined while bytes of unknown length arrive. */
  readonly size: number | undefined;
  /** A file descriptor with the bytes at their own positions, where there is one. Valid until `close`. */
  readonly fd: number | undefined;
  /**
   * Waits for bytes at `position`.
   * @returns the offset up to which bytes may be read: above `position`, or equal to it at the end of the blob.
   * @throws the reason of `Ingest.abort`, or what `write` threw, once what there is was read; VerificationError
   *   at once; a DOMException `AbortError` where the reader is closed meanwhile.
   */
  available(position: number): Promise<number>;
  /**
   * Reads bytes that `available` has promised, and never more.
   * @returns how many bytes were put into `into`, at least 1.
   * @throws StoreError where the bytes cannot be read.
   */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Waits for a `read` that is under way; may be called again. */
  close(): Promise<void>;
}

/**
 * Bytes being written. Nothing is visible in the store before `commit` has verified length and digest.
 * What `write` and `commit` throw has ended the ingest, as `abort` would have. Disposing of an ingest that was neither
 * committed nor aborted aborts it.
 */
export interface Ingest extends AsyncDisposable {
  /** What was said at the beginning; and from the call of `commit` on, what was said there as well. */
  readonly expected: Expected;
  /** Bytes written so far. */
  readonly offset: number;
  /** Another way to write, beside `write`, where the store has it. */
  readonly direct: DirectWriting | undefined;
  /**
   * Hashes and appends, then wakes the followers. One call at a time; the chunks stay as they are until then.
   * @throws StoreError where the bytes cannot be written (disk full); the followers still get what was written.
   * @throws VerificationError where the bytes go beyond the expected size.
   */
  write(chunks: readonly Uint8Array[]): Promise<void>;
  /**
   * A reader of the bytes as they arrive, at its own speed, by its own descriptor. Where the ingest has begun with a
   * size, the last byte is held back until commit, so that no client completes a blob that was not verified. Where it
   * has not, a follower gets all that is written, and waits for the end until commit: only the end tells it that the
   * bytes are right. So it is, too, where the digest is not known yet.
   * @throws what ended the ingest, where something other than commit did.
   */
  follow(): Promise<BlobReader>;
  /**
   * Verifies length and digest, syncs and publishes. Called again, it gives what the first call gave.
   * @param expected what `ingest` was not told; the digest is told here at the latest.
   * @throws VerificationError where they do not match: nothing is published, the bytes go to quarantine where there is one.
   * @throws ExpectationError where `ingest` was told something else, or the digest was never told: the caller's
   *   mistake. Nothing is published, and the bytes, which are not to blame, are dropped.
   * @throws StoreError where publishing fails: the store has not got the bytes, but since they are right,
   *   followers get all of them. Where the bytes have to be read once more and cannot be, followers get this error.
   */
  commit(expected?: Expected): Promise<Stored>;
  /** Gives up: followers get `reason` once they have read what there is. Does nothing once commit has begun. */
  abort(reason: Error): Promise<void>;
}
