import { InvalidArgumentError, type Command } from 'commander';
import { parseByteSize } from '../../../config/values/byte-size.ts';
import type { JobRequest, JobResult } from '../../../api/contract/job-kinds.ts';
import { runJob } from '../../../api/client/run-job.ts';
import { EXIT_FAILED } from '../../terminal/exit-codes.ts';
import { operatorCommand, withOperator } from './operator-command.ts';
import type { OperatorOptions, Workplace } from './operator-command.ts';
import { printJson } from '../../terminal/print-json.ts';
import { onJob } from '../../terminal/job-line.ts';

const EXAMPLES = `
Examples:
  larder verify
  larder verify --repair
`;

interface VerifyCommandOptions extends OperatorOptions {
  readonly repair?: boolean;
  readonly rate?: number | 'unlimited';
}

/** `larder verify`: hashes all stored blobs. Exit code 1 if a blob is wrong and was not repaired. */
export function verifyCommand(): Command {
  return operatorCommand('verify')
    .description(
      'hash everything that is stored, and set aside what is wrong: it is fetched again when asked for',
    )
    .option('--repair', 'fetch it again now')
    .option(
      '--rate <size>',
      'bytes to read a second, or unlimited (default: cache.verifyRate while a server runs)',
      parseRate,
    )
    .addHelpText('after', EXAMPLES)
    .action(async ({ repair = false, rate, ...options }: VerifyCommandOptions) => {
      await withOperator(options, async (workplace) => {
        const bytesPerSecond = rateOf(rate, workplace);
        const result = await verify(workplace, { repair, bytesPerSecond });
        if (!result.isSound) process.exitCode = EXIT_FAILED;
      });
    });
}

function parseRate(text: string): number | 'unlimited' {
  if (text === 'unlimited') return text;
  try {
    const bytes = parseByteSize(text);
    if (bytes > 0) return bytes;
  } catch {
    // The error below says so.
  }
  throw new InvalidArgumentError('Expected a size such as 20MiB, or unlimited.');
}

/** Returns the rate of reading; undefined: unlimited, the default without a server, which has no clients to disturb. */
function rateOf(
  rate: VerifyCommandOptions['rate'],
  { config, isRemote }: Pick<Workplace, 'config' | 'isRemote'>,
): number | undefined {
  if (rate === undefined) return isRemote ? config.cache.verifyRate : undefined;
  return rate === 'unlimited' ? undefined : rate;
}

async function verify(
  { client, isJson, isRemote }: Workplace,
  request: JobRequest<'verify'>,
): Promise<JobResult<'verify'>> {
  const result = await runJob(client, 'verify', request, onJob(isJson, isRemote));
  if (isJson) printJson(result);
  else console.log(describe(result));
  return result;
}

function describe({ steps, findings, moreFindings, isSound }: JobResult<'verify'>): string {
  const lines = steps.map(({ step, stats, durationMs }) => {
    const counts = Object.entries(stats).map(([name, count]) => `${count} ${name}`);
    return `${step}: ${counts.join(', ')} (${(durationMs / 1000).toFixed(1)} s)`;
  });
  const more = moreFindings === 0 ? [] : [`and ${moreFindings} more`];
  const verdict = isSound ? 'everything stored is right' : 'something stored was not right, see above';
  return [...lines, ...findings.map(describeFinding), ...more, verdict].join('\n');
}

function describeFinding(finding: JobResult<'verify'>['findings'][number]): string {
  const { kind, digest } = finding;
  return kind === 'repaired'
    ? `repaired ${digest}`
    : `${kind.replace('-', ' ')} ${digest}: ${withoutDigest(finding)}`;
}

/** Removes the digest that a reason may begin with. */
function withoutDigest({ digest, reason }: { readonly digest: string; readonly reason: string }): string {
  const prefix = `${digest}: `;
  return reason.startsWith(prefix) ? reason.slice(prefix.length) : reason;
}
