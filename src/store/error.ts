import type { Expected } from './blob-store.ts';

/** The bytes of an ingest, for messages. */
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

/** What was said of bytes at first and what was said when they were committed cannot both be true. */
export class ExpectationError extends Error {
  override readonly name = 'ExpectationError';
}

/** The store could not do its work (disk full, I/O error, directory gone). The bytes themselves are not to blame. */
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

/** The disk cannot give the bytes back. Other errors (no descriptors, no permission) say nothing of them. */
export function isUnreadable(error: unknown): error is StoreError {
  return error instanceof StoreError && error.code === 'EIO';
}
