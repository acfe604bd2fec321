import type { ListedJob } from '../../api/contract/jobs.ts';
import type { OnJob } from '../../api/client/run-job.ts';
import { formatProgress, LiveLines, progressBars } from './progress-bars.ts';

/** Formats a job's state and how far it has come. */
export function jobLine({ kind, state, progress, error }: ListedJob): string {
  const come = progress === undefined ? '' : ` ${formatProgress(progress)}`;
  return `${kind} ${state}${come}${error === undefined ? '' : `: ${error.message}`}`;
}

/**
 * Returns a listener that shows how far a job has come: on a terminal by bars that move, else by lines.
 * @param isRemote whether the job goes on without this process
 */
export function onJob(isJson: boolean, isRemote: boolean): OnJob {
  const { stderr } = process;
  if (!stderr.isTTY) return isJson ? () => {} : printLines;
  const lines = new LiveLines(stderr);
  return ({ id, state, progress }) => {
    if (state !== 'running') lines.clear();
    else if (progress !== undefined) lines.show(progressBars(progress, stderr));
    else if (isRemote)
      stderr.write(`job ${id} goes on if you leave: larder jobs watch ${id}, larder jobs cancel ${id}\n`);
  };
}

const printLines: OnJob = ({ state, progress }) => {
  if (state === 'running' && progress !== undefined) console.log(formatProgress(progress));
};
