import { QUOTED_STRING, Scanner, TOKEN, headerLines, type HeaderLines } from './scanner.ts';

const SEPARATORS = /[ \t,]*/y;
const DIRECTIVE = new RegExp(`(${TOKEN})(?:=(?:${TOKEN}|${QUOTED_STRING}))?[ \\t]*(?=,|$)`, 'y');

/**
 * Whether a request's Cache-Control wants an answer that the origin has confirmed: `no-cache` (RFC 9111 §5.2.1.4).
 * Reading a line ends at the first directive that cannot be read.
 */
export function asksAnew(header: HeaderLines): boolean {
  return headerLines(header).some((line) => directivesOf(line).includes('no-cache'));
}

function directivesOf(line: string): readonly string[] {
  const scanner = new Scanner(line);
  const names: string[] = [];
  for (;;) {
    scanner.take(SEPARATORS);
    const name = scanner.take(DIRECTIVE)?.[1];
    if (name === undefined) return names;
    names.push(name.toLowerCase());
  }
}
