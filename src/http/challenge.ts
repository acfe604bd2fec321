import { QUOTED_STRING, Scanner, TOKEN, headerLines, quote, unquote, type HeaderLines } from './scanner.ts';

/** One way to authenticate that a server offers (RFC 9110 §11.3). */
export interface Challenge {
  /** In lower case: `bearer`, `basic`, `negotiate`. */
  readonly scheme: string;
  /** Unquoted values by name in lower case; the first value if a name comes twice. */
  readonly params: ReadonlyMap<string, string>;
  /** The token that schemes such as Negotiate carry in place of parameters. */
  readonly token68?: string;
}

/** Most challenges read from one line; real servers offer three at most. */
const MAX_CHALLENGES = 16;

const SEPARATORS = /[ \t,]*/y;
const SCHEME = new RegExp(`(${TOKEN})(?:[ \\t]+|(?=,)|$)`, 'y');
const TOKEN68 = /([A-Za-z0-9._~+/-]+=*)(?=[ \t]*(?:,|$))/y;

/** An unquoted value may have more characters than a `token`, since registries send `realm=https://...` bare. */
const PARAM = new RegExp(`(${TOKEN})[ \\t]*=[ \\t]*(${QUOTED_STRING}|[^ \\t",]+)`, 'y');

/**
 * Reads the challenges of `WWW-Authenticate`, in order, from several lines or one list (RFC 9110 §11.6.1).
 * Never throws: at the first unreadable part it drops the rest of the line.
 */
export function parseChallenges(header: HeaderLines): Challenge[] {
  return headerLines(header).flatMap(parseLine);
}

function parseLine(line: string): Challenge[] {
  const scanner = new Scanner(line);
  const challenges: Challenge[] = [];
  while (challenges.length < MAX_CHALLENGES) {
    scanner.take(SEPARATORS);
    const scheme = scanner.take(SCHEME)?.[1]?.toLowerCase();
    if (scheme === undefined) break;
    const token68 = scanner.take(TOKEN68)?.[1];
    challenges.push(
      token68 === undefined
        ? { scheme, params: takeParams(scanner) }
        : { scheme, params: new Map(), token68 },
    );
  }
  return challenges;
}

/** Reads parameters until the next challenge begins: there a name has no `=` behind it. */
function takeParams(scanner: Scanner): Map<string, string> {
  const params = new Map<string, string>();
  for (;;) {
    scanner.take(SEPARATORS);
    const [, name, value] = scanner.take(PARAM) ?? [];
    if (name === undefined || value === undefined) return params;
    const key = name.toLowerCase();
    if (!params.has(key)) params.set(key, unquote(value));
  }
}

/**
 * Writes a challenge for `WWW-Authenticate`. Its scheme gets a capital letter, and all values are quoted: some clients
 * compare by case, or split at the commas of bare values.
 * @param params a value of undefined is left out; other characters than printable ASCII become `?`
 */
export function formatChallenge(
  scheme: 'Basic' | 'Bearer',
  params: Readonly<Record<string, string | undefined>>,
): string {
  const pairs = Object.entries(params).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${quote(value)}`],
  );
  return `${scheme} ${pairs.join(',')}`;
}
