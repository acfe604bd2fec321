import { InvalidArgumentError, type Command } from 'commander';
import { parseByteSize } from '../../../config/values/byte-size.ts';
import type { VerifyProgress, VerifyReport } from '../../../upkeep/verify.ts';
import { EXIT_FAILED } from '../../terminal/exit-codes.ts';
import { operatorCommand, withOperator } from './operator-command.ts';
import type { OperatorOptions, Workplace } from './operator-command.ts';
import { printJson } from '../../terminal/print-json.ts';
import { shortSize } from '../../terminal/short-size.ts';

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
    .action(async ({ repair = false, rate, ...options }: VerifyCommandOptions) => {
      await withOperator(options, async (workplace) => {
        const bytesPerSecond = rateOf(rate, workplace);
        const report = await verify(workplace, repair, bytesPerSecond);
        if (!report.isSound) process.exitCode = EXIT_FAILED;
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
  { operator, isJson }: Workplace,
  repair: boolean,
  bytesPerSecond: number | undefined,
): Promise<VerifyReport> {
  const findings: VerifyProgress[] = [];
  const onProgress = (progress: VerifyProgress): void => {
    if (isFinding(progress)) findings.push(progress);
    if (!isJson) console.log(describe(progress));
  };
  const signal = new AbortController().signal;
  const report = await operator.verify({ repair, bytesPerSecond }, onProgress, signal);
  if (isJson) printJson({ ...report, findings });
  else
    console.log(report.isSound ? 'everything stored is right' : 'something stored was not right, see above');
  return report;
}

function isFinding({ kind }: VerifyProgress): boolean {
  return kind !== 'step' && kind !== 'hashed';
}

function describe(progress: VerifyProgress): string {
  switch (progress.kind) {
    case 'step': {
      const stats = Object.entries(progress.stats).map(([name, count]) => `${count} ${name}`);
      return `${progress.step}: ${stats.join(', ')} (${(progress.durationMs / 1000).toFixed(1)} s)`;
    }
    case 'hashed':
      return `hashed ${shortSize(progress.bytes)} of ${shortSize(progress.ofBytes)}`;
    case 'repaired':
      return `repaired ${progress.digest}`;
    case 'quarantined':
    case 'failed':
    case 'not-repaired':
      return `${progress.kind.replace('-', ' ')} ${progress.digest}: ${withoutDigest(progress)}`;
  }
}

/** Removes the digest that a reason may begin with. */
function withoutDigest({ digest, reason }: { readonly digest: string; readonly reason: string }): string {
  const prefix = `${digest}: `;
  return reason.startsWith(prefix) ? reason.slice(prefix.length) : reason;
}
