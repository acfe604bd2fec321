import type { Command } from 'commander';
import type { RepositoryRow, TagRow } from '../../../operator/inventory.ts';
import { operatorCommand, withOperator } from './operator-command.ts';
import type { OperatorOptions } from './operator-command.ts';
import { printJson } from '../../terminal/print-json.ts';
import { shortSize } from '../../terminal/short-size.ts';
import { formatTable, formatTime, isoTime } from '../../terminal/table.ts';

const PAGE = 500;

/** `larder ls`: the repositories that are cached, or one repository's tags. */
export function lsCommand(): Command {
  return operatorCommand('ls')
    .description('list what is cached: repositories, or the tags of one')
    .argument('[repository]', 'such as debian or ghcr.io/acme/app')
    .action(async (repository: string | undefined, options: OperatorOptions) => {
      await withOperator(options, async ({ operator, isJson }) => {
        if (repository === undefined) {
          const rows = await allPages(
            (page) => operator.repositories(page),
            (row) => row.repository,
          );
          if (isJson) printJson(rows.map(repositoryJson));
          else console.log(repositoryTable(rows));
        } else {
          const rows = await allPages(
            (page) => operator.tags(repository, page),
            (row) => row.tag,
          );
          if (isJson) printJson(rows.map(tagJson));
          else console.log(tagTable(rows));
        }
      });
    });
}

async function allPages<T>(
  read: (page: { after: string | undefined; limit: number }) => Promise<readonly T[]>,
  keyOf: (row: T) => string,
): Promise<readonly T[]> {
  const rows: T[] = [];
  let after: string | undefined;
  do {
    const page = await read({ after, limit: PAGE });
    rows.push(...page);
    const last = page.at(-1);
    after = last === undefined ? undefined : keyOf(last);
  } while (after !== undefined);
  return rows;
}

function repositoryTable(rows: readonly RepositoryRow[]): string {
  const cells = rows.map(({ repository, tags, blobs, bytes, usedAt, pins }) => [
    repository,
    tags,
    blobs,
    shortSize(bytes),
    formatTime(usedAt),
    pins,
  ]);
  return formatTable(['REPOSITORY', 'TAGS', 'BLOBS', 'SIZE', 'LAST USE', 'PINS'], cells);
}

function tagTable(rows: readonly TagRow[]): string {
  const cells = rows.map(({ tag, digest, parts, blobs, bytes, usedAt, isPinned }) => [
    tag,
    digest,
    blobs === parts ? blobs : `${blobs} of ${parts}`,
    shortSize(bytes),
    formatTime(usedAt),
    isPinned ? 'yes' : '',
  ]);
  return formatTable(['TAG', 'DIGEST', 'BLOBS', 'SIZE', 'LAST USE', 'PINNED'], cells);
}

function repositoryJson({ usedAt, ...row }: RepositoryRow): object {
  return { ...row, lastUse: isoTime(usedAt) };
}

function tagJson({ usedAt, checkedAt, ...row }: TagRow): object {
  return { ...row, lastUse: isoTime(usedAt), checked: isoTime(checkedAt) };
}
