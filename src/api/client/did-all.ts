import { JOB_KINDS } from '../contract/job-kinds.ts';
import type { Job } from '../contract/jobs.ts';

/**
 * Whether a job has done all that was requested, as its command would say by exit code 0. A job can be `done` without:
 * an image of several could not be pulled, for example.
 */
export function didAll({ kind, state, result }: Pick<Job, 'kind' | 'state' | 'result'>): boolean {
  if (state !== 'done') return false;
  if (result === undefined || result === null) return true;
  switch (kind) {
    case 'verify':
      return JOB_KINDS.verify.result.parse(result).isSound;
    case 'remove':
      return JOB_KINDS.remove.result.parse(result).removed.every((one) => !('error' in one));
    case 'warm':
      return JOB_KINDS.warm.result.parse(result).failed === 0;
    case 'import':
      return JOB_KINDS.import.result.parse(result).refused.length === 0;
    default:
      return true;
  }
}
