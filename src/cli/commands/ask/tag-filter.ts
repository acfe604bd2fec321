import { InvalidArgumentError, type Command } from 'commander';
import { parseAsked, type Asked } from '../../../asking/asked.ts';
import { AskError } from '../../../asking/error.ts';
import { parseVersionRange, VersionRangeError, type VersionRange } from '../../../versions/range.ts';
import { matcherOf, parseGlob } from '../../../config/values/glob.ts';
import { ValueError, valueOrError } from '../../../config/values/value-error.ts';

export interface FilterOptions {
  readonly match: readonly string[];
  readonly exclude: readonly string[];
  readonly semver?: string;
  readonly prerelease?: boolean;
}

/** Adds the options that choose tags. */
export function filterOptions(command: Command): Command {
  return command
    .option('--match <glob>', 'only tags such as 3.*-slim; may be repeated', collectGlob, [])
    .option('--exclude <glob>', 'no tags such as *-rc*; may be repeated', collectGlob, [])
    .option('--semver <range>', 'only versions in a range such as ">=1.2 <2", ^1, ~1.2 or 1.x')
    .option('--prerelease', 'versions such as 1.2.0-rc1, too');
}

/** Reads the argument of these commands; a tag or a digest behind the repository would be ignored. @throws AskError */
export function askedRepository(text: string): Asked {
  const asked = parseAsked(text);
  if (asked.tag === undefined && asked.digest === undefined) return asked;
  throw new AskError(`${text}: expected a repository without a tag or digest`);
}

/** @throws AskError if it is none */
export function rangeOf({ semver }: FilterOptions): VersionRange | undefined {
  if (semver === undefined) return undefined;
  try {
    return parseVersionRange(semver);
  } catch (error) {
    if (!(error instanceof VersionRangeError)) throw error;
    throw new AskError(error.message, { cause: error });
  }
}

/** Returns what decides whether a tag is chosen. */
export function nameFilter({ match, exclude }: FilterOptions): (tag: string) => boolean {
  const isMatched = match.length === 0 ? () => true : matcherOf(match);
  const isExcluded = matcherOf(exclude);
  return (tag) => isMatched(tag) && !isExcluded(tag);
}

function collectGlob(text: string, before: readonly string[]): readonly string[] {
  const glob = valueOrError(() => parseGlob(text));
  if (glob instanceof ValueError) throw new InvalidArgumentError(`Expected ${glob.expected}.`);
  return [...before, glob];
}
