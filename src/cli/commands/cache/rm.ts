import type { Command } from 'commander';
import type { Removed } from '../../../operator/remove.ts';
import { forEachReference, operatorCommand, withOperator } from './operator-command.ts';
import type { OperatorOptions } from './operator-command.ts';
import { shortSize } from '../../terminal/short-size.ts';

/** `larder rm`: deletes from the cache; upstream stays as it is. */
export function rmCommand(): Command {
  return operatorCommand('rm')
    .description('delete from the cache: a repository, a tag, a digest')
    .argument('<reference...>', 'such as debian, ghcr.io/acme/app:1, debian@sha256:..., sha256:...')
    .action(async (references: readonly string[], options: OperatorOptions) => {
      await withOperator(options, async ({ operator, isJson }) => {
        await forEachReference(references, isJson, (name) => operator.remove(name), describe);
      });
    });
}

function describe(reference: string, { tags, blobs, bytes }: Removed): string {
  const freed =
    blobs === 0 ? 'no bytes: none are stored, or others need them' : `${blobs} blobs, ${shortSize(bytes)}`;
  return `${reference}: removed ${tags} ${tags === 1 ? 'tag' : 'tags'}; ${freed}`;
}
