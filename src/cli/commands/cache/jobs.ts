import { Command } from 'commander';
import type { Job, ListedJob } from '../../../api/contract/jobs.ts';
import { allPages } from '../../../api/client/all-pages.ts';
import { didAll } from '../../../api/client/did-all.ts';
import { followJob } from '../../../api/client/run-job.ts';
import { EXIT_FAILED } from '../../terminal/exit-codes.ts';
import { jobLine } from '../../terminal/job-line.ts';
import { formatProgress } from '../../terminal/progress-bars.ts';
import { printJson } from '../../terminal/print-json.ts';
import { formatTable, formatTime } from '../../terminal/table.ts';
import { operatorCommand, withOperator, type OperatorOptions, type Workplace } from './operator-command.ts';

/** `larder jobs`: long work that runs, or has ended. */
export function jobsCommand(): Command {
  return new Command('jobs')
    .description('long work, such as verify: what runs, and how the last jobs ended')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(jobCommand('show', 'show one job, with its request and its result', show))
    .addCommand(jobCommand('cancel', 'tell a job to end', cancel))
    .addCommand(
      jobCommand('watch', 'wait for a job to end; exit code 1 if not all of it is done then', watch),
    );
}

function listCommand(): Command {
  return operatorCommand('list')
    .description('list the jobs, the latest first')
    .addHelpText('after', '\nExamples:\n  larder jobs\n  larder jobs --json\n')
    .action(async (options: OperatorOptions) => {
      await withOperator(options, async ({ client, isJson }) => {
        const jobs = await allPages(async (page) => {
          const { jobs: rows, next } = await client.call('jobs', { query: page });
          return { rows, next };
        });
        if (isJson) printJson(jobs);
        else console.log(jobTable(jobs));
      });
    });
}

type Act = (workplace: Workplace, id: string) => Promise<Job>;

function jobCommand(name: string, description: string, act: Act): Command {
  return operatorCommand(name)
    .description(description)
    .argument('<id>', 'as larder jobs lists it')
    .addHelpText('after', `\nExamples:\n  larder jobs ${name} 3f9ac05d1e7b2846\n`)
    .action(async (id: string, options: OperatorOptions) => {
      await withOperator(options, async (workplace) => {
        const job = await act(workplace, id);
        if (workplace.isJson || name === 'show') printJson(job);
        else console.log(jobLine(job));
      });
    });
}

const show: Act = ({ client }, id) => client.call('job', { id });
const cancel: Act = ({ client }, id) => client.call('cancelJob', { id });

async function watch({ client, isJson }: Workplace, id: string): Promise<Job> {
  const job = await followJob(client, id, ({ progress }) => {
    if (!isJson && progress !== undefined) console.log(formatProgress(progress));
  });
  if (didAll(job)) return job;
  process.exitCode = EXIT_FAILED;
  if (job.state === 'done') console.error(`larder: not all of it could be done: see larder jobs show ${id}`);
  return job;
}

function jobTable(jobs: readonly ListedJob[]): string {
  const rows = jobs.map(({ id, kind, state, startedAt, endedAt, progress, error }) => [
    id,
    kind,
    state,
    formatTime(startedAt),
    formatTime(endedAt),
    error?.message.replaceAll('\n', '; ') ?? (progress === undefined ? '' : formatProgress(progress)),
  ]);
  return formatTable(['ID', 'KIND', 'STATE', 'STARTED', 'ENDED', 'PROGRESS'], rows);
}
