import type { Command } from 'commander';
import type { JobResult } from '../../../api/contract/job-kinds.ts';
import { runJob } from '../../../api/client/run-job.ts';
import { OperatorError, type OperatorErrorCode } from '../../../operator/error.ts';
import { printJson } from '../../terminal/print-json.ts';
import { shortSize } from '../../terminal/short-size.ts';
import { complain, operatorCommand, withOperator, type OperatorOptions } from './operator-command.ts';

const EXAMPLES = `
Examples:
  larder rm ghcr.io/acme/app:1
  larder rm debian
`;

/** `larder rm`: deletes from the cache; upstream stays as it is. */
export function rmCommand(): Command {
  return operatorCommand('rm')
    .description('delete from the cache: a repository, a tag, a digest')
    .argument('<reference...>', 'such as debian, ghcr.io/acme/app:1, debian@sha256:..., sha256:...')
    .addHelpText('after', EXAMPLES)
    .action(async (references: readonly string[], options: OperatorOptions) => {
      await withOperator(options, async ({ client, isJson }) => {
        const { removed } = await runJob(client, 'remove', { references: [...references] });
        for (const each of removed) {
          if ('error' in each) complain(errorOf(each.error));
          else if (!isJson) console.log(describe(each));
        }
        if (isJson) printJson(removed);
      });
    });
}

type RemovedReference = JobResult<'remove'>['removed'][number];

function errorOf({ code, message }: { readonly code: string; readonly message: string }): OperatorError {
  return new OperatorError(code as OperatorErrorCode, message);
}

function describe({ reference, tags, blobs, bytes }: Exclude<RemovedReference, { error: unknown }>): string {
  const freed =
    blobs === 0 ? 'no bytes: none are stored, or others need them' : `${blobs} blobs, ${shortSize(bytes)}`;
  return `${reference}: removed ${tags} ${tags === 1 ? 'tag' : 'tags'}; ${freed}`;
}
