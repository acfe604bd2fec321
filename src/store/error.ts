import type { Expected } from './blob-store.ts';

/** Names the bytes of an ingest, for messages. */
export function nameOf({ digest }: Expected): string {
  return digest ?? 'bytes of unknown digest';
}

/** The bytes are not those of the digest, or not as many as expected. */
export class VerificationError extends Error {
  override readonly name = 'VerificationError';
  readonly expected: Expected;

  constructor(expected: Expected, message: string) {
    super(`${nameOf(expected)}: ${message}`);
    this.expected = expected;
  }
}

/** What a caller said of bytes at `ingest` contradicts what it said at `commit`. */
export class ExpectationError extends Error {
  override readonly name = 'ExpectationError';
}

/** The store could not do its work (disk full, I/O error, directory gone), though the bytes may be right. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  /** errno name: `ENOSPC`, `EROFS`, `EIO`, ... */
  readonly code: string;

  constructor(operation: string, cause: unknown) {
    const code = (cause as NodeJS.ErrnoException | null)?.code ?? 'UNKNOWN';
    super(`cannot ${operation}: ${code}`, { cause });
    this.code = code;
  }
}

/** Whether the disk cannot return the bytes. Other errors (no descriptors, no permission) say nothing about them. */
export function isUnreadable(error: unknown): error is StoreError {
  return error instanceof StoreError && error.code === 'EIO';
}
