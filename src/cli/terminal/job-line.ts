import type { JobProgress, JobSummary } from '../../api/contract/jobs.ts';
import type { OnJob } from '../../api/client/run-job.ts';
import { shortSize } from './short-size.ts';

/** Formats how far a job has come: `1.2 GiB of 3 GiB, 17 blobs`. */
export function formatProgress({ done, total, unit, note }: JobProgress): string {
  const amount = (n: number): string => (unit === 'bytes' ? shortSize(n) : String(n));
  const of = total === undefined ? '' : ` of ${amount(total)}`;
  return `${amount(done)}${of}${note === undefined ? '' : `, ${note}`}`;
}

/** Formats a job's state and how far it has come. */
export function jobLine({ kind, state, progress, error }: JobSummary): string {
  const come = progress === undefined ? '' : ` ${formatProgress(progress)}`;
  return `${kind} ${state}${come}${error === undefined ? '' : `: ${error.message}`}`;
}

/**
 * Returns a listener that prints how far a job has come, and on a terminal says first how to leave it alone.
 * @param isRemote whether the job goes on without this process
 */
export function onJob(isJson: boolean, isRemote: boolean): OnJob {
  return ({ id, progress }) => {
    if (progress !== undefined) {
      if (!isJson) console.log(formatProgress(progress));
    } else if (isRemote && process.stderr.isTTY) {
      console.error(`job ${id} goes on if you leave: larder jobs watch ${id}, larder jobs cancel ${id}`);
    }
  };
}
