/** What makes a version one before its release: `-rc.1`, `b2`, `-SNAPSHOT`. */
export interface Prerelease {
  /** In lower case. */
  readonly word: string;
  readonly numbers: readonly number[];
}

/** The words in the order of a release's life; those of one row stand at the same point of it. */
const WORDS = [
  ['dev', 'nightly', 'canary', 'snapshot', 'next'],
  ['alpha', 'a'],
  ['m', 'ea', 'preview', 'pre'],
  ['beta', 'b'],
  ['rc', 'cr', 'c'],
] as const;

/**
 * Long words may stand behind a separator or at once behind the number; `m` (milestone) needs its number; `a`, `b` and
 * `c` are Python's, and stand at once behind the version (PEP 440), since `-b2` is a build elsewhere.
 */
const PRERELEASE =
  /^(?:[-._]?(dev|nightly|canary|snapshot|next|alpha|ea|preview|pre|beta|rc|cr)|[-.](m)(?=\d)|([abc])(?=\d))((?:[-.]?\d{1,9}(?:\.\d{1,9})*)?)(?![A-Za-z\d])/i;

/** Reads what stands behind the numbers of a version. @returns undefined if that is no word of a prerelease */
export function readPrerelease(
  rest: string,
): { readonly text: string; readonly prerelease: Prerelease } | undefined {
  const [text, long, milestone, short, numbers = ''] = PRERELEASE.exec(rest) ?? [];
  if (text === undefined) return undefined;
  const word = (long ?? milestone ?? short ?? '').toLowerCase();
  return { text, prerelease: { word, numbers: (numbers.match(/\d+/g) ?? []).map(Number) } };
}

/** Orders prereleases of one release; a release itself (undefined) is after all of them. */
export function comparePrereleases(a: Prerelease | undefined, b: Prerelease | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return stageOf(a) - stageOf(b) || compareNumbers(a.numbers, b.numbers);
}

/** Compares number by number; one that is missing counts as 0. */
export function compareNumbers(a: readonly number[], b: readonly number[]): number {
  const length = Math.max(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function stageOf({ word }: Prerelease): number {
  return WORDS.findIndex((words) => (words as readonly string[]).includes(word));
}
