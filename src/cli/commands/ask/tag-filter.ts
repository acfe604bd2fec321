import { InvalidArgumentError, type Command } from 'commander';
import { matcherOf, parseGlob } from '../../../config/values/glob.ts';
import { ValueError, valueOrError } from '../../../config/values/value-error.ts';

export interface FilterOptions {
  readonly match: readonly string[];
  readonly exclude: readonly string[];
}

/** Adds the options that choose tags by their names. */
export function filterOptions(command: Command): Command {
  return command
    .option('--match <glob>', 'only tags such as 3.*-slim; may be repeated', collectGlob, [])
    .option('--exclude <glob>', 'no tags such as *-rc*; may be repeated', collectGlob, []);
}

/** Returns what decides whether a tag is chosen. */
export function nameFilter({ match, exclude }: FilterOptions): (tag: string) => boolean {
  const isMatched = match.length === 0 ? () => true : matcherOf(match);
  const isExcluded = matcherOf(exclude);
  return (tag) => isMatched(tag) && !isExcluded(tag);
}

function collectGlob(text: string, before: readonly string[]): readonly string[] {
  const glob = valueOrError(() => parseGlob(text));
  if (glob instanceof ValueError) throw new InvalidArgumentError(`expected ${glob.message}`);
  return [...before, glob];
}
