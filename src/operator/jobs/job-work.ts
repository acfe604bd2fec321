import type { JobProgress } from '../../index/job-index.ts';

/** What a job's work gets beside its request. */
export interface JobContext {
  /** Aborted when the job is cancelled or the process ends: the work then rejects soon. */
  readonly signal: AbortSignal;
  /** Says how far the work has come. May be called often: only the last report counts. */
  readonly report: (progress: JobProgress) => void;
}

/**
 * The work of one kind of jobs. Request and result are JSON values; the result is kept in the index, so it must be
 * small. Work that was broken off goes on where it was when the same request is made again: its own code sees to that.
 */
export type JobWork<Request, Result> = (request: Request, context: JobContext) => Promise<Result>;
