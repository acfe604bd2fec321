import { Option, type Command } from 'commander';
import { formatRepository, type Asked } from '../../../asking/asked.ts';
import type { LatestAnswer } from '../../../asking/answers.ts';
import type { Asker } from '../../../asking/asker.ts';
import { latestByCreated, latestByVersion, type LatestQuestion } from '../../../asking/latest.ts';
import { UpstreamError } from '../../../upstream/error.ts';
import { printJson } from '../../terminal/print-json.ts';
import { askCommand, withAskers, withMirror, type AskOptions } from './ask-command.ts';
import { askedRepository, filterOptions, nameFilter, rangeOf, type FilterOptions } from './tag-filter.ts';

const EXAMPLES = `
Examples:
  larder latest alpine
  larder latest node --semver ^20
  larder latest node --match '*-alpine' --exclude '2?.*'
  larder latest ghcr.io/acme/app --prerelease
  larder latest localhost:5000/acme/app --by created --json
`;

interface LatestOptions extends AskOptions, FilterOptions {
  readonly by: 'version' | 'created';
}

/** `larder latest`: the newest tag of a repository. */
export function latestCommand(): Command {
  return filterOptions(withMirror(askCommand('latest')))
    .description('print the newest tag of a repository: of the plain versions, unless --match chooses others')
    .argument('<repository>', 'such as alpine or ghcr.io/acme/app')
    .addOption(
      new Option('--by <what>', 'what is compared: versions, or when the images were made')
        .choices(['version', 'created'])
        .default('version'),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (text: string, options: LatestOptions) => {
      await withAskers(options, async (askers) => {
        const asked = askedRepository(text);
        const answer = await latest(askers.of(asked.registry), asked, options);
        if (options.json === true) printJson(answer);
        else console.log(answer.tag);
      });
    });
}

async function latest(asker: Asker, asked: Asked, options: LatestOptions): Promise<LatestAnswer> {
  const repository = formatRepository(asked);
  const question: LatestQuestion = {
    range: rangeOf(options),
    prerelease: options.prerelease === true,
    isChosen: nameFilter(options),
    isAnySeries: options.match.length > 0,
  };
  if (options.by === 'created') {
    const found = await latestByCreated(asker, asked, question);
    if (found !== undefined) return { repository, ...found };
  } else {
    const found = await latestByVersion(asker.tags(asked.repository), question);
    if (found !== undefined) return { repository, tag: found.tag, series: found.series };
  }
  const message = `no tag of ${asked.repository} is a version or a date that was asked for`;
  throw new UpstreamError(asked.registry.name, 'absent', 'not-found', message);
}
