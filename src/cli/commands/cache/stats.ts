import type { Command } from 'commander';
import type { Stats } from '../../../api/contract/content.ts';
import { operatorCommand, withOperator } from './operator-command.ts';
import type { OperatorOptions, Workplace } from './operator-command.ts';
import { printJson } from '../../terminal/print-json.ts';
import { shortSize } from '../../terminal/short-size.ts';
import { formatTable } from '../../terminal/table.ts';

const EXAMPLES = `
Examples:
  larder stats
  larder stats --json
`;

/** `larder stats`: how much is cached. */
export function statsCommand(): Command {
  return operatorCommand('stats')
    .description('tell how much is cached, in all and of each upstream')
    .addHelpText('after', EXAMPLES)
    .action(async (options: OperatorOptions) => {
      await withOperator(options, async ({ client, isJson, config, isRemote }) => {
        const stats = await client.call('stats', { query: {} });
        if (isJson) printJson(stats);
        else console.log(formatStats(stats, { config, isRemote }));
      });
    });
}

function formatStats(
  { blobs, bytes, maxBytes, quarantine, pins, upstreams }: Stats,
  { config, isRemote }: Pick<Workplace, 'config' | 'isRemote'>,
): string {
  const cap = maxBytes === null ? 'unlimited' : `of ${shortSize(maxBytes)}`;
  const lines = [
    `directory   ${config.cache.directory} (${isRemote ? 'a server runs' : 'no server runs'})`,
    `stored      ${blobs} blobs, ${shortSize(bytes)} ${cap}`,
    `quarantine  ${quarantine.blobs} blobs, ${shortSize(quarantine.bytes)}`,
    `pins        ${pins}`,
  ];
  if (upstreams.length === 0) return lines.join('\n');
  const rows = upstreams.map((row) => [
    row.upstream,
    row.repositories,
    row.tags,
    row.blobs,
    shortSize(row.bytes),
  ]);
  const table = formatTable(['UPSTREAM', 'REPOSITORIES', 'TAGS', 'BLOBS', 'SIZE'], rows);
  return [...lines, '', table].join('\n');
}
