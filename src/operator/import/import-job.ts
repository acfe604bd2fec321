import type { ImportResult } from '../../archive/import/import-bundle.ts';
import type { ImportRequest } from '../../archive/import/import-options.ts';
import type { JobWork } from '../jobs/job-work.ts';
import type { Imports } from './imports.ts';

export interface ImportJobRequest extends ImportRequest {
  /** The id of the upload that holds the bundle. */
  readonly upload: string;
}

/** Returns the work that imports an uploaded bundle. Interrupted work goes on if the same upload is imported again. */
export function importJob(imports: Pick<Imports, 'importUpload'>): JobWork<ImportJobRequest, ImportResult> {
  return ({ upload, ...request }, context) => imports.importUpload(upload, request, context);
}
