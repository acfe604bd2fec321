/**
 * Why an upload cannot go on:
 * - `unknown`: there is no such upload; it may have expired.
 * - `offset`: the bytes do not begin where the upload ends.
 * - `busy`: it is being written or imported, or too many uploads are open.
 * - `full`: there is no room for it.
 * - `invalid`: its size or its fingerprint is none.
 */
export type UploadFailure = 'unknown' | 'offset' | 'busy' | 'full' | 'invalid';

/** An upload cannot be opened, written or read. */
export class UploadError extends Error {
  override readonly name = 'UploadError';
  readonly failure: UploadFailure;

  constructor(failure: UploadFailure, message: string) {
    super(message);
    this.failure = failure;
  }
}
