import { InvalidArgumentError, type Command } from 'commander';
import { formatRepository, parseAsked, type Asked } from '../../../asking/asked.ts';
import { AskError } from '../../../asking/error.ts';
import { filterPages, limitPages, countEntries } from '../../../asking/pages.ts';
import { asJson, asLines, writeTexts } from '../../terminal/output.ts';
import { printJson } from '../../terminal/print-json.ts';
import { askCommand, withAskers, withMirror, type AskOptions } from './ask-command.ts';
import { filterOptions, nameFilter, type FilterOptions } from './tag-filter.ts';

interface TagsOptions extends AskOptions, FilterOptions {
  readonly limit?: number;
  readonly count?: boolean;
}

/** `larder tags`: the tags of a repository. */
export function tagsCommand(): Command {
  return filterOptions(withMirror(askCommand('tags')))
    .description('list the tags of a repository')
    .argument('<repository>', 'such as alpine or ghcr.io/acme/app')
    .option('--limit <n>', 'at most so many', parseLimit)
    .option('--count', 'print only how many there are')
    .action(async (text: string, options: TagsOptions) => {
      await withAskers(options, async (askers) => {
        const asked = askedRepository(text);
        const pages = filterPages(askers.of(asked.registry).tags(asked.repository), nameFilter(options));
        await print(formatRepository(asked), limitPages(pages, options.limit), options);
      });
    });
}

/** Reads a repository; a tag or a digest behind it would be ignored. @throws AskError */
function askedRepository(text: string): Asked {
  const asked = parseAsked(text);
  if (asked.tag === undefined && asked.digest === undefined) return asked;
  throw new AskError(`${text}: expected a repository without a tag or digest`);
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
