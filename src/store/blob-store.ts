import type { Digest, DigestAlgorithm } from '../oci/digest.ts';
import type { DirectWriting, StoreCapabilities } from './capabilities.ts';

/** What is known of bytes before they arrive: a fill knows their digest, a push may learn it with the last byte. */
export interface Expected {
  readonly digest?: Digest | undefined;
  /** Bytes, if a descriptor or a Content-Length gave their number. */
  readonly size?: number | undefined;
}

/** What is known when an ingest begins; may be nothing. */
export interface IngestOptions extends Expected {
  /**
   * Algorithm by which arriving bytes are hashed. Default: the digest's, or sha256 if the digest is unknown. If
   * `commit` gets a digest of another algorithm, it fails with ExpectationError if this field was given. If the field
   * was left out, it reads the bytes once more.
   */
  readonly algorithm?: DigestAlgorithm | undefined;
}

/** Committed bytes. */
export interface Stored {
  readonly digest: Digest;
  readonly size: number;
}

/** Committed bytes, as a listing shows them. */
export interface Listed extends Stored {
  /** When they were published, in milliseconds since the epoch; undefined if the store does not know. */
  readonly storedAt?: number;
}

/**
 * Bytes by digest: a small version of containerd's content store. Only verified bytes are ever visible in it. Every
 * implementation passes `blob-store.contract.ts`; what only some stores can do is in `capabilities.ts`.
 */
export interface BlobStore extends StoreCapabilities {
  /** Looks bytes up. @returns undefined if the store does not have them */
  stat(digest: Digest): Promise<Stored | undefined>;
  /** Opens committed bytes; they stay readable until the reader is closed, even if deleted meanwhile. */
  open(digest: Digest): Promise<BlobReader | undefined>;
  /**
   * Begins to write. Two ingests of one digest do not disturb each other; the later commit replaces the earlier.
   * @throws ExpectationError if the algorithm is not the digest's.
   */
  ingest(options: IngestOptions): Promise<Ingest>;
  /** Deletes bytes. @returns whether the store had them */
  delete(digest: Digest): Promise<boolean>;
  /** Lists all committed bytes, in no particular order. */
  list(): AsyncIterable<Listed>;
}

/** Reads bytes by position, committed or still arriving. Keeps them open until the caller closes it. */
export interface BlobReader {
  /** Total bytes; undefined while bytes of unknown length arrive. */
  readonly size: number | undefined;
  /** File descriptor with the bytes at their own positions, valid until `close`; undefined if there is no file. */
  readonly fd: number | undefined;
  /**
   * Waits for bytes at `position`.
   * @returns the offset up to which bytes may be read: above `position`, or equal to it at the end of the blob.
   * @throws the reason of `Ingest.abort` or the error of `write`, but only once all written bytes were read; a
   *   VerificationError at once; a DOMException `AbortError` if the reader is closed meanwhile.
   */
  available(position: number): Promise<number>;
  /**
   * Reads bytes that `available` has promised, and never more.
   * @returns the number of bytes put into `into`, at least 1.
   * @throws StoreError if the bytes cannot be read.
   */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Closes the reader once a running `read` has ended; may be called again. */
  close(): Promise<void>;
}

/**
 * Writes bytes into the store. None of them is visible there before `commit` has published them. An error of `write`,
 * `verify` or `commit` ends the ingest, as `abort` does. Disposing of an ingest that was neither committed nor aborted
 * aborts it.
 */
export interface Ingest extends AsyncDisposable {
  /** What the caller of `ingest` expects; once `verify` or `commit` is called, also what its caller expects. */
  readonly expected: Expected;
  /** Bytes written so far. */
  readonly offset: number;
  /** Lets other threads write the bytes themselves, if the store has files. */
  readonly direct: DirectWriting | undefined;
  /**
   * Hashes and appends, then wakes the followers. One call at a time; the chunks must not change until it resolves.
   * @throws StoreError if the bytes cannot be written (disk full); the followers still get what was written.
   * @throws VerificationError if the bytes go beyond the expected size.
   */
  write(chunks: readonly Uint8Array[]): Promise<void>;
  /**
   * Opens a reader of the bytes as they arrive, with its own speed and its own descriptor. If the ingest began with a
   * size, the last byte is held back until the bytes are verified, so that no client completes a blob that was not. If
   * it began without one, a follower gets all that is written, and learns of the end when they are verified: only the
   * end tells it that the bytes are right. All of this holds, too, while the digest is unknown.
   * @throws the error that ended the ingest
   */
  follow(): Promise<BlobReader>;
  /**
   * Verifies length and digest. From then on followers get all of the bytes, whatever `commit` does, and the ingest takes
   * no more. A second call returns what the first one did.
   * @param expected what the caller of `ingest` did not know yet; the digest must be given here or to `commit`.
   * @throws VerificationError if length or digest do not match: the bytes go to quarantine if the store has one.
   * @throws ExpectationError if `expected` contradicts what was expected before, or if neither has the digest: the
   *   caller's mistake. The bytes, which may be right, are dropped.
   * @throws StoreError if the bytes must be read once more and cannot be; followers get this error, too.
   */
  verify(expected?: Expected): Promise<Stored>;
  /**
   * Verifies the bytes unless `verify` has, syncs and publishes them. A second call returns what the first one did.
   * @param expected as for `verify`; the digest must be given here at the latest.
   * @throws what `verify` throws: nothing is published.
   * @throws StoreError if publishing fails: the store does not have the bytes.
   */
  commit(expected?: Expected): Promise<Stored>;
  /**
   * Ends the ingest: followers get `reason` once they have read what was written, or all of the bytes if these are
   * verified. Does nothing once `commit` was called, except to wait for its end.
   */
  abort(reason: Error): Promise<void>;
}
