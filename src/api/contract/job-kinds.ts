import type * as z from 'zod';
import type { JobKinds } from '../../operator/jobs/job-kinds.ts';
import { ExportRequest, ExportResult } from './kinds/export.ts';
import { ImportRequest, ImportResult } from './kinds/import.ts';
import { RemoveRequest, RemoveResult } from './kinds/remove.ts';
import { VerifyRequest, VerifyResult } from './kinds/verify.ts';
import { WarmRequest, WarmResult } from './kinds/warm.ts';

interface Kind<Request> {
  readonly request: z.ZodType<Request>;
  readonly result: z.ZodType;
  /** What the work does, for `docs/api.md`. */
  readonly summary: string;
}

/** What is requested of each kind of jobs, and what comes of it: a line a kind. */
export const JOB_KINDS = {
  verify: { request: VerifyRequest, result: VerifyResult, summary: 'hash again everything that is stored' },
  remove: { request: RemoveRequest, result: RemoveResult, summary: 'delete from the cache' },
  warm: { request: WarmRequest, result: WarmResult, summary: 'pull images into the cache, whole' },
  export: {
    request: ExportRequest,
    result: ExportResult,
    summary: 'lay out a bundle of images, and hold it for a day',
  },
  import: {
    request: ImportRequest,
    result: ImportResult,
    summary: 'take the images of an uploaded bundle into the cache',
  },
} satisfies { readonly [Name in keyof JobKinds]: Kind<Parameters<JobKinds[Name]>[0]> };

export type JobKind = keyof typeof JOB_KINDS;
export type JobRequest<Name extends JobKind> = z.input<(typeof JOB_KINDS)[Name]['request']>;
export type JobResult<Name extends JobKind> = z.infer<(typeof JOB_KINDS)[Name]['result']>;
