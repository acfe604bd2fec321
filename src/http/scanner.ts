/** A header as HTTP libraries return it: nothing, one line, or a list of lines. */
export type HeaderLines = string | readonly string[] | undefined;

/**
 * Most characters of one line. Heads may have 64 KiB, but honest lines are far shorter.
 */
const MAX_HEADER_LENGTH = 8192;
const MAX_HEADER_LINES = 32;

/** `token` (RFC 9110 §5.6.2), for use in patterns. */
export const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";

/** `quoted-string` (RFC 9110 §5.6.4); its alternatives are disjoint, so a match takes linear time. */
export const QUOTED_STRING = String.raw`"(?:[^"\\]|\\.)*"`;

/**
 * Returns the lines of a header, at most 32. A line of more than 8 KiB is dropped as a whole: half a value could mean
 * something else.
 */
export function headerLines(header: HeaderLines): readonly string[] {
  if (header === undefined) return [];
  const lines = typeof header === 'string' ? [header] : header.slice(0, MAX_HEADER_LINES);
  return lines.filter((line) => line.length <= MAX_HEADER_LENGTH);
}

/** Returns the content of a `quoted-string`, and any other text as it is. */
export function unquote(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll(/\\(.)/g, '$1') : text;
}

/**
 * Makes a `quoted-string` of printable ASCII. Every other character of `text` becomes `?`, since Node does not send
 * them and clients disagree on how to read them.
 */
export function quote(text: string): string {
  return `"${text.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, '\\$&')}"`;
}

/** Reads a text from left to right by sticky patterns, each match beginning where the last one ended. */
export class Scanner {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#text.length;
  }

  /**
   * Moves past the match at the current position.
   * @param pattern must have the flag `y`
   * @returns the match; undefined if there is none
   */
  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#position;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#position += match[0].length;
    return match;
  }
}
