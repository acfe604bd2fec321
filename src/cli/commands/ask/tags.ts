import { InvalidArgumentError, type Command } from 'commander';
import { formatRepository } from '../../../asking/asked.ts';
import { AskError } from '../../../asking/error.ts';
import { newestInRange } from '../../../asking/in-range.ts';
import { countEntries, filterPages, limitPages } from '../../../asking/pages.ts';
import { asJson, asLines, writeTexts } from '../../terminal/output.ts';
import { printJson } from '../../terminal/print-json.ts';
import { askCommand, withAskers, withMirror, type AskOptions } from './ask-command.ts';
import { askedRepository, filterOptions, nameFilter, rangeOf, type FilterOptions } from './tag-filter.ts';

const EXAMPLES = `
Examples:
  larder tags alpine --count
  larder tags alpine --match '3.*' --exclude '*_rc*' --limit 20
  larder tags node --semver '>=20 <22' --match '*-slim' --limit 5   the newest five
  larder tags ghcr.io/acme/app --via localhost:5000 --json
`;

interface TagsOptions extends AskOptions, FilterOptions {
  readonly limit?: number;
  readonly count?: boolean;
}

/** `larder tags`: the tags of a repository. */
export function tagsCommand(): Command {
  return filterOptions(withMirror(askCommand('tags')))
    .description('list the tags of a repository')
    .argument('<repository>', 'such as alpine or ghcr.io/acme/app')
    .option('--limit <n>', 'at most so many; of --semver the newest', parseLimit)
    .option('--count', 'print only how many there are')
    .addHelpText('after', EXAMPLES)
    .action(async (text: string, options: TagsOptions) => {
      await withAskers(options, async (askers) => {
        const asked = askedRepository(text);
        const pages = askers.of(asked.registry).tags(asked.repository);
        await print(formatRepository(asked), chosen(pages, options), options);
      });
    });
}

/**
 * The tags that were asked for: as the registry lists them, and of a range by version, since only then the newest of
 * them may be wanted.
 */
function chosen(
  pages: AsyncIterable<readonly string[]>,
  options: TagsOptions,
): AsyncIterable<readonly string[]> {
  const named = filterPages(pages, nameFilter(options));
  const range = rangeOf(options);
  if (range !== undefined) return newestInRange(named, { ...options, range });
  if (options.prerelease !== true) return limitPages(named, options.limit);
  throw new AskError('--prerelease is about the versions of --semver');
}

async function print(
  repository: string,
  pages: AsyncIterable<readonly string[]>,
  { count: isCount, json: isJson }: TagsOptions,
): Promise<void> {
  if (isCount === true) {
    const count = await countEntries(pages);
    if (isJson === true) printJson({ repository, count });
    else console.log(String(count));
    return;
  }
  await writeTexts(isJson === true ? asJson({ repository }, 'tags', pages) : asLines(pages));
}

function parseLimit(text: string): number {
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit > 0) return limit;
  throw new InvalidArgumentError('expected a whole number from 1');
}
