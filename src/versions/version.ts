import { compareNumbers, comparePrereleases, readPrerelease, type Prerelease } from './prerelease.ts';

/**
 * A tag that counts something up. Tags are no semantic versions: the numbers are one to four, and what stands behind
 * them is mostly another image of the same version, and not an earlier one.
 */
export interface Version {
  readonly tag: string;
  /** `date`: a day, perhaps with a time or a count behind it. */
  readonly kind: 'version' | 'date';
  readonly numbers: readonly number[];
  readonly prerelease: Prerelease | undefined;
  /** The count of a build, or of the packaging: 12 of `21.0.1_12-jre`, 45 of `1.2.3-ls45`; -1 without one. */
  readonly build: number;
  /**
   * What tags of one series have in common, each count as `#`: `*` for `1.2.3`, `*-alpine3.20`, `*_#-jre`,
   * `bookworm-<date>-slim`. Only tags of one series follow each other.
   */
  readonly series: string;
}

/** A name, or several joined, in front of the numbers: `bookworm-20240110`, `RELEASE.2024-01-16T16-07-38Z`. */
const PREFIX = /^(?:[A-Za-z]+[-_.])*/;

/** Prefixes behind which a commit stands, even if it has digits only. */
const OF_COMMITS = /^(?:.*[-_.])?(?:sha|git|commit)[-_.]$/i;

const DATE = /^((?:19|20)\d\d)(-?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d{1,5}(?!\d))/;

const TIME = /^[T_.-]?(?:\d{2}-?\d{2}(?:-?\d{2})?Z?|\d{1,3})(?![\dA-Za-z.])/;

const NUMBERS = /^[vV]?(\d{1,15}(?:\.\d{1,15}){0,3})(?!\.?\d)/;

/** A single number of more digits is a run of a pipeline, a time or a commit. */
const MAX_LONE_DIGITS = 5;

/** A count at once behind the numbers: temurin's `_12`, Debian's `-1`, Java's `8u402`. */
const BUILD = /^([-_u+])(\d{1,14})(?![\d.A-Za-z])/;

/** The count of a packaging at the end: Bitnami's `-debian-12-r5`, LinuxServer's `-ls45`, `-k3s1`, `-eksbuild.2`. */
const REVISION = /[-.](?:r|ls|b|build|rev|p|k3s|rke2r|gke|eksbuild)\.?(\d{1,9})$/;

/** An abbreviated or whole commit at the end, as `git describe` writes it, too. */
const COMMIT = /(?:^|[-_.])g?(?=[a-f]*\d)(?=\d*[a-f])[\da-f]{7,64}$/;

/** Reads a tag. @returns undefined if it counts nothing up: a name (`latest`, `bookworm`), a commit, a signature */
export function parseVersion(tag: string): Version | undefined {
  const [prefix = ''] = PREFIX.exec(tag) ?? [];
  const rest = tag.slice(prefix.length);
  if (OF_COMMITS.test(prefix) || COMMIT.exec(tag)?.index === Math.max(0, prefix.length - 1)) return undefined;
  return parseDate(tag, prefix, rest) ?? parseNumbers(tag, prefix, rest);
}

/** Orders all versions. Inside one series a later version is greater; the more exact one of two equal ones is, too. */
export function compareVersions(a: Version, b: Version): number {
  return (
    compareTexts(a.kind, b.kind) ||
    compareNumbers(a.numbers, b.numbers) ||
    comparePrereleases(a.prerelease, b.prerelease) ||
    a.build - b.build ||
    a.numbers.length - b.numbers.length ||
    compareTexts(a.series, b.series) ||
    compareTexts(a.tag, b.tag)
  );
}

function parseDate(tag: string, prefix: string, rest: string): Version | undefined {
  const [date] = DATE.exec(rest) ?? [];
  if (date === undefined) return undefined;
  const [time = ''] = TIME.exec(rest.slice(date.length)) ?? [];
  const suffix = rest.slice(date.length + time.length);
  if (/^[\dA-Za-z]/.test(suffix)) return undefined;
  const numbers = [digitsOf(date), digitsOf(time)];
  const series = `${prefix}<date>${suffix}`;
  return { tag, kind: 'date', numbers, prerelease: undefined, build: -1, series };
}

function parseNumbers(tag: string, prefix: string, rest: string): Version | undefined {
  const [counted, digits] = NUMBERS.exec(rest) ?? [];
  if (counted === undefined || digits === undefined) return undefined;
  const numbers = digits.split('.').map(Number);
  if (numbers.length === 1 && digits.length > MAX_LONE_DIGITS) return undefined;
  const behind = rest.slice(counted.length);
  const { text = '', prerelease } = readPrerelease(behind) ?? {};
  const { build, shape } = readSuffix(behind.slice(text.length));
  return { tag, kind: 'version', numbers, prerelease, build, series: `${prefix}*${shape}` };
}

/** Reads the counts of a suffix. @returns the last of them, and the suffix with `#` in their places */
function readSuffix(suffix: string): { readonly build: number; readonly shape: string } {
  const [direct = '', sign = '', count] = BUILD.exec(suffix) ?? [];
  const rest = suffix.slice(direct.length);
  const start = direct === '' ? '' : `${sign}#`;
  const revision = REVISION.exec(rest)?.[1];
  const plain = revision === undefined ? rest : rest.slice(0, -revision.length);
  const end = revision === undefined ? '' : '#';
  const shape = `${start}${plain.replace(COMMIT, '-<commit>')}${end}`;
  return { build: Number(revision ?? count ?? -1), shape };
}

function digitsOf(text: string): number {
  return Number(text.replaceAll(/\D/g, ''));
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
