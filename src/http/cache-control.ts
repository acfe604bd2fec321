import { QUOTED_STRING, Scanner, TOKEN, headerLines, unquote, type HeaderLines } from './scanner.ts';

const SEPARATORS = /[ \t,]*/y;
const DIRECTIVE = new RegExp(`(${TOKEN})(?:=(${TOKEN}|${QUOTED_STRING}))?[ \\t]*(?=,|$)`, 'y');

interface Directive {
  /** In lower case. */
  readonly name: string;
  readonly value: string | undefined;
}

/**
 * Whether a request's Cache-Control wants an answer that the origin has confirmed: `no-cache` (RFC 9111 §5.2.1.4).
 * Reading a line ends at the first directive that cannot be read.
 */
export function asksAnew(header: HeaderLines): boolean {
  return headerLines(header).some((line) => directivesOf(line).some(({ name }) => name === 'no-cache'));
}

/**
 * Returns how long an answer is fresh by its Cache-Control, in seconds: `max-age` (RFC 9111 §5.2.2.1), or none at all for
 * `no-cache` and `no-store`. Undefined: it does not say.
 */
export function maxAgeOf(header: HeaderLines): number | undefined {
  const directives = headerLines(header).flatMap(directivesOf);
  if (directives.some(({ name }) => name === 'no-cache' || name === 'no-store')) return 0;
  const value = directives.find(({ name }) => name === 'max-age')?.value;
  const seconds = value === undefined ? '' : unquote(value);
  return /^\d{1,10}$/.test(seconds) ? Number(seconds) : undefined;
}

function directivesOf(line: string): readonly Directive[] {
  const scanner = new Scanner(line);
  const directives: Directive[] = [];
  for (;;) {
    scanner.take(SEPARATORS);
    const [, name, value] = scanner.take(DIRECTIVE) ?? [];
    if (name === undefined) return directives;
    directives.push({ name: name.toLowerCase(), value });
  }
}
