import type { ExportRequest, ExportResult } from '../export/export-images.ts';
import type { Exports } from '../export/exports.ts';
import type { ImportResult } from '../../archive/import/import-bundle.ts';
import { importJob, type ImportJobRequest } from '../import/import-job.ts';
import type { Imports } from '../import/imports.ts';
import type { Operator } from '../operator.ts';
import type { JobWork } from './job-work.ts';
import { warmJob, type WarmOptions, type WarmRequest, type WarmResult } from '../warm/warm-job.ts';
import { removeJob, type RemoveRequest, type RemoveResult } from './remove-job.ts';
import { verifyJob, type VerifyParts, type VerifyRequest, type VerifyResult } from './verify-job.ts';

/** The kinds of jobs: a line here, and a line in `jobKinds`. */
export interface JobKinds {
  readonly verify: JobWork<VerifyRequest, VerifyResult>;
  readonly remove: JobWork<RemoveRequest, RemoveResult>;
  readonly warm: JobWork<WarmRequest, WarmResult>;
  readonly export: JobWork<ExportRequest, ExportResult>;
  readonly import: JobWork<ImportJobRequest, ImportResult>;
}

/** What the work of all kinds needs. */
export interface JobParts extends WarmOptions, VerifyParts {
  readonly exports: Pick<Exports, 'run'>;
  readonly imports: Pick<Imports, 'importUpload'>;
  readonly operator: Pick<Operator, 'remove'>;
}

export function jobKinds(parts: JobParts): JobKinds {
  return {
    verify: verifyJob(parts),
    remove: removeJob(parts.operator),
    warm: warmJob(parts),
    export: (request, context) => parts.exports.run(request, context),
    import: importJob(parts.imports),
  };
}
