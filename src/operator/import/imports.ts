import { BundleError } from '../../archive/bundle-error.ts';
import { importBundle, type ImportResult } from '../../archive/import/import-bundle.ts';
import type { ImportCache, ImportRequest } from '../../archive/import/import-options.ts';
import type { OpenedBundle } from '../../archive/reading/open-bundle.ts';
import { UploadError, type UploadFailure } from '../../archive/upload/upload-error.ts';
import type { Upload, Uploads } from '../../archive/upload/uploads.ts';
import { OperatorError, type OperatorErrorCode } from '../error.ts';
import { explained } from '../explained.ts';
import type { JobContext } from '../jobs/job-work.ts';

const CODES: Readonly<Record<UploadFailure, OperatorErrorCode>> = {
  unknown: 'unknown',
  offset: 'invalid',
  busy: 'busy',
  full: 'failed',
  invalid: 'invalid',
};

/** Imports bundles: those that are uploaded here in pieces, and those that the process itself can read. */
export class Imports {
  readonly #cache: ImportCache;
  readonly #uploads: Uploads;

  constructor(cache: ImportCache, uploads: Uploads) {
    this.#cache = cache;
    this.#uploads = uploads;
  }

  /** Opens an upload, or finds the one that was begun before (uploads.ts). @throws OperatorError */
  open(size: number, fingerprint: string): Promise<Upload> {
    return told(() => this.#uploads.open(size, fingerprint));
  }

  /** @throws OperatorError */
  upload(id: string): Promise<Upload> {
    return told(() => this.#uploads.get(id));
  }

  /** Writes bytes at the end of an upload, which is at `offset`. @throws OperatorError; what reading the bytes throws */
  write(id: string, offset: number, bytes: AsyncIterable<Uint8Array>): Promise<Upload> {
    return told(() => this.#uploads.write(id, offset, bytes));
  }

  /** Ends an upload without importing it. @throws OperatorError */
  abort(id: string): Promise<void> {
    return told(() => this.#uploads.abort(id));
  }

  /** Deletes uploads that have expired. @throws OperatorError */
  sweep(): Promise<void> {
    return told(() => this.#uploads.sweep());
  }

  /**
   * Imports an upload, which ends then. One whose import was interrupted stays, to be imported again.
   * @throws OperatorError, and the signal's reason
   */
  importUpload(id: string, request: ImportRequest, context: JobContext): Promise<ImportResult> {
    const work = (bundle: OpenedBundle): Promise<ImportResult> =>
      importBundle(this.#cache, bundle, request, context);
    return told(() => this.#uploads.use(id, work, (error) => error instanceof BundleError));
  }

  /** Imports a bundle. @throws OperatorError, the signal's reason, and what reading the bundle throws */
  importBundle(bundle: OpenedBundle, request: ImportRequest, context: JobContext): Promise<ImportResult> {
    return told(() => importBundle(this.#cache, bundle, request, context));
  }
}

async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await explained(work);
  } catch (error) {
    if (error instanceof UploadError)
      throw new OperatorError(CODES[error.failure], error.message, { cause: error });
    if (error instanceof BundleError) {
      throw new OperatorError('failed', `the bundle is refused: ${error.message}`, { cause: error });
    }
    throw error;
  }
}
