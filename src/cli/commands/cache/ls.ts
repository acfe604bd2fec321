import type { Command } from 'commander';
import type { CachedRepository, CachedTag } from '../../../api/contract/content.ts';
import { allPages } from '../../../api/client/all-pages.ts';
import { printJson } from '../../terminal/print-json.ts';
import { shortSize } from '../../terminal/short-size.ts';
import { formatTable, formatTime } from '../../terminal/table.ts';
import { operatorCommand, withOperator, type OperatorOptions } from './operator-command.ts';

const EXAMPLES = `
Examples:
  larder ls
  larder ls ghcr.io/acme/app --json
`;

/** `larder ls`: the repositories that are cached, or one repository's tags. */
export function lsCommand(): Command {
  return operatorCommand('ls')
    .description('list what is cached: repositories, or the tags of one')
    .argument('[repository]', 'such as debian or ghcr.io/acme/app')
    .addHelpText('after', EXAMPLES)
    .action(async (repository: string | undefined, options: OperatorOptions) => {
      await withOperator(options, async ({ client, isJson }) => {
        if (repository === undefined) {
          const rows = await allPages(async (page) => {
            const { repositories, next } = await client.call('repositories', { query: page });
            return { rows: repositories, next };
          });
          if (isJson) printJson(rows);
          else console.log(repositoryTable(rows));
        } else {
          const rows = await allPages(async (page) => {
            const { tags, next } = await client.call('tags', { query: { ...page, repository } });
            return { rows: tags, next };
          });
          if (isJson) printJson(rows);
          else console.log(tagTable(rows));
        }
      });
    });
}

function repositoryTable(rows: readonly CachedRepository[]): string {
  const cells = rows.map(({ repository, tags, blobs, bytes, lastUse, pins }) => [
    repository,
    tags,
    blobs,
    shortSize(bytes),
    formatTime(lastUse),
    pins,
  ]);
  return formatTable(['REPOSITORY', 'TAGS', 'BLOBS', 'SIZE', 'LAST USE', 'PINS'], cells);
}

function tagTable(rows: readonly CachedTag[]): string {
  const cells = rows.map(({ tag, digest, parts, blobs, bytes, lastUse, isPinned }) => [
    tag,
    digest,
    blobs === parts ? blobs : `${blobs} of ${parts}`,
    shortSize(bytes),
    formatTime(lastUse),
    isPinned ? 'yes' : '',
  ]);
  return formatTable(['TAG', 'DIGEST', 'BLOBS', 'SIZE', 'LAST USE', 'PINNED'], cells);
}
