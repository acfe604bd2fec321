import { quoted } from '../../text/quoted.ts';

/** A line that cannot be used, and why. */
interface HtpasswdProblem {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

export interface Htpasswd {
  /** The bcrypt hash of each user's password, by the user's name. */
  readonly hashes: ReadonlyMap<string, string>;
  readonly problems: readonly HtpasswdProblem[];
}

/** Most bytes of a user's name. */
const MAX_USER_BYTES = 255;
/** Most bytes of a password: bcrypt does not read further, so that a longer one would be as good as its beginning. */
export const MAX_PASSWORD_BYTES = 72;
/** The cost of new hashes (OWASP, "Password Storage": at least 10). */
export const DEFAULT_COST = 10;
/** Beyond this cost, a login takes several seconds of a processor. */
const MAX_COST = 14;

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const LINE = /^([^:]*):([^:]*)/;

/** How other programs begin their hashes (Apache's documentation, "Password Formats"). */
const OTHER_HASHES: readonly (readonly [RegExp, string])[] = [
  [/^\$apr1\$/, 'an MD5 hash (apr1)'],
  [/^\{SHA\}/, 'a SHA-1 hash'],
  [/^\$[156]\$/, 'a hash of crypt(3)'],
  [/^\$2/, 'a damaged bcrypt hash'],
];

/**
 * Reads a file as Apache's `htpasswd -B` writes it: `name:hash` on each line, comments (`#`) and blank lines. A third
 * field is allowed and not read.
 */
export function parseHtpasswd(text: string): Htpasswd {
  const hashes = new Map<string, string>();
  const problems: HtpasswdProblem[] = [];
  for (const [at, line] of withoutMark(text).split('\n').entries()) {
    if (isBlank(line)) continue;
    const [, name = '', hash = ''] = LINE.exec(line.trimEnd()) ?? [];
    const message = lineProblem(line, name, hash) ?? (hashes.has(name) ? twice(name) : undefined);
    if (message === undefined) hashes.set(name, hash);
    else problems.push({ line: at + 1, message });
  }
  return { hashes, problems };
}

/** Returns why the text is no name of a user; undefined: it is one. */
export function userProblem(name: string): string | undefined {
  if (name === '') return 'the name of the user is missing';
  if (name.includes(':')) return 'a name cannot contain a colon, since Basic authentication ends it there';
  if (Buffer.byteLength(name) > MAX_USER_BYTES) return `a name has at most ${MAX_USER_BYTES} bytes`;
  if (name.startsWith('#')) return 'a name cannot begin with #, which begins a comment';
  if (/\p{Cc}/u.test(name) || name.trim() !== name)
    return 'a name cannot contain control characters, nor begin or end with a space';
  return undefined;
}

/** Returns the file with the user's hash in place of the one before, or on a new line at its end. */
export function withUser(text: string, name: string, hash: string): string {
  const line = `${name}:${hash}`;
  const lines = linesOf(text);
  const at = lines.findIndex((each) => isOf(each, name));
  if (at === -1) return joined([...lines, line]);
  return joined(lines.flatMap((each, i) => (i === at ? [line] : isOf(each, name) ? [] : [each])));
}

/** Returns the file without the user; undefined: it has no such user. */
export function withoutUser(text: string, name: string): string | undefined {
  const lines = linesOf(text);
  const rest = lines.filter((line) => !isOf(line, name));
  return rest.length === lines.length ? undefined : joined(rest);
}

/** Returns the cost in a bcrypt hash: its calculation takes 2^cost rounds. */
export function costOf(hash: string): number {
  return Number(BCRYPT.exec(hash)?.[1] ?? Number.NaN);
}

function lineProblem(line: string, name: string, hash: string): string | undefined {
  if (!line.includes(':')) return 'is no line of the form name:hash';
  const problem = userProblem(name);
  if (problem !== undefined) return problem;
  const cost = costOf(hash);
  if (Number.isNaN(cost)) return foreign(name, hash);
  if (cost < 4 || cost > MAX_COST)
    return `the hash of ${quoted(name)} has the cost ${cost}: expected 4 to ${MAX_COST}`;
  return undefined;
}

function foreign(name: string, hash: string): string {
  const [, kind = 'no hash that Larder knows'] = OTHER_HASHES.find(([begin]) => begin.test(hash)) ?? [];
  return `the password of ${quoted(name)} is ${kind}: only bcrypt is accepted; set it anew by larder passwd or htpasswd -B`;
}

function twice(name: string): string {
  return `the user ${quoted(name)} is there twice`;
}

function isBlank(line: string): boolean {
  return line.startsWith('#') || line.trim() === '';
}

function isOf(line: string, name: string): boolean {
  return !isBlank(line) && line.startsWith(`${name}:`);
}

function linesOf(text: string): string[] {
  const lines = withoutMark(text).split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Editors of Windows write a byte order mark. It would be a part of the first user's name. */
function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, '');
}

function joined(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
