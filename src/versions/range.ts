import { quoted } from '../text/quoted.ts';
import { compareNumbers, comparePrereleases, readPrerelease, type Prerelease } from './prerelease.ts';
import type { Version } from './version.ts';

/** A text that is no range. The message quotes it. */
export class VersionRangeError extends Error {
  override readonly name = 'VersionRangeError';
}

type Operator = '<' | '<=' | '>' | '>=' | '=';

/** One bound. It speaks of as many numbers as it has: `<=1.2` holds for `1.2.7`, and `=1.2` is `1.2.x`. */
interface Comparator {
  readonly operator: Operator;
  readonly numbers: readonly number[];
  readonly prerelease: Prerelease | undefined;
}

/** A range of versions: of several alternatives, each of bounds that must all hold. */
export type VersionRange = readonly (readonly Comparator[])[];

const TERM = /^(\^|~>?|[<>]=?|=)?v?(\d{1,15}(?:\.\d{1,15}){0,3})((?:\.[x*])*|[-.a-z]?[a-z][\da-z.-]*)$/i;

/**
 * Reads `>=1.2 <2`, `^1.2`, `~1.2`, `1.x`, `1.2 - 1.4`, `1 || 2`, `*`. A comma may stand between bounds.
 * @throws VersionRangeError
 */
export function parseVersionRange(text: string): VersionRange {
  return text.split('||').map((alternative) => {
    const words = alternative
      .replaceAll(/([<>=~^])\s+/g, '$1')
      .replaceAll(/(\S+)\s+-\s+(?=\S)/g, '>=$1 <=')
      .split(/[\s,]+/)
      .filter((word) => word !== '');
    if (words.length === 0) throw noRange(text);
    return words.flatMap((word) => parseTerm(word, text));
  });
}

/**
 * Whether a version is in a range. A prerelease is only if `prerelease` is set, or a bound of the range is a prerelease
 * of the same version. A date is in none.
 */
export function isInRange(version: Version, range: VersionRange, prerelease = false): boolean {
  if (version.kind !== 'version') return false;
  return range.some(
    (bounds) =>
      bounds.every((bound) => holds(bound, version)) &&
      (version.prerelease === undefined ||
        prerelease ||
        bounds.some((bound) => isSameRelease(bound, version))),
  );
}

function parseTerm(word: string, range: string): Comparator[] {
  if (/^[*x]$/i.test(word)) return [];
  const [, operator = '=', digits, rest = ''] = TERM.exec(word) ?? [];
  if (digits === undefined) throw noRange(range);
  const numbers = digits.split('.').map(Number);
  const isPattern = rest === '' || /^\.[x*]/i.test(rest);
  const read = isPattern ? undefined : readPrerelease(rest);
  if (!isPattern && read?.text !== rest) throw noRange(range);
  const bound = { numbers, prerelease: read?.prerelease };
  if (operator === '^') return [{ ...bound, operator: '>=' }, below(caretPrefix(numbers))];
  if (operator.startsWith('~')) return [{ ...bound, operator: '>=' }, below(tildePrefix(numbers))];
  return [{ ...bound, operator: operator as Operator }];
}

/** Not above the versions that begin with these numbers. */
function below(numbers: readonly number[]): Comparator {
  return { operator: '<=', numbers, prerelease: undefined };
}

/** Up to the first number that is not 0: a change of it breaks what was there. */
function caretPrefix(numbers: readonly number[]): readonly number[] {
  const first = numbers.findIndex((number) => number > 0);
  return first === -1 ? numbers : numbers.slice(0, first + 1);
}

/** All but the last of three or four numbers. */
function tildePrefix(numbers: readonly number[]): readonly number[] {
  return numbers.length < 3 ? numbers : numbers.slice(0, -1);
}

function holds({ operator, numbers, prerelease }: Comparator, version: Version): boolean {
  const order =
    prerelease === undefined
      ? compareNumbers(version.numbers.slice(0, numbers.length), numbers)
      : compareNumbers(version.numbers, numbers) || comparePrereleases(version.prerelease, prerelease);
  if (order === 0) return operator !== '<' && operator !== '>';
  return order < 0 ? operator.startsWith('<') : operator.startsWith('>');
}

function isSameRelease({ numbers, prerelease }: Comparator, version: Version): boolean {
  return prerelease !== undefined && compareNumbers(numbers, version.numbers) === 0;
}

function noRange(text: string): VersionRangeError {
  return new VersionRangeError(
    `${quoted(text)} is no range: expected one such as ">=1.2 <2", "^1.2", "~1.2" or "1.x"`,
  );
}
