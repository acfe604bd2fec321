import { Scanner, headerLines, type HeaderLines } from './scanner.ts';

/** An entity tag (RFC 9110 §8.8.3). Registries use the digest as its value. */
export interface ETag {
  readonly isWeak: boolean;
  /** Without its quotes. */
  readonly value: string;
}

/** An If-None-Match header: `any` for `*`. */
export type IfNoneMatch = 'any' | readonly ETag[];

/** Anything but controls, spaces and quotes; a backslash escapes nothing (RFC 9110 §8.8.3). */
const QUOTED = String.raw`"([^\x00-\x20"\x7f]*)"`;

/** A tag without quotes, as distribution's proxy sends and accepts it. */
const UNQUOTED = String.raw`([^\x00-\x20",\x7f]+)`;

const ENTITY_TAG = new RegExp(`(W/)?(?:${QUOTED}|${UNQUOTED})[ \\t]*(?=,|$)`, 'y');
const SEPARATORS = /[ \t,]*/y;

/** Reads an ETag header, quoted or not; returns undefined if there is none or it cannot be read. */
export function parseETag(header: string | undefined): ETag | undefined {
  const tags = parseTags(header);
  return tags.length === 1 ? tags[0] : undefined;
}

/**
 * Reads If-None-Match: one tag, a list, or `*` (RFC 9110 §13.1.2). At the first unreadable tag it drops the line's
 * rest.
 */
export function parseIfNoneMatch(header: HeaderLines): IfNoneMatch {
  return headerLines(header).some((line) => line.trim() === '*') ? 'any' : parseTags(header);
}

/**
 * Whether the client already has the content of this tag, so that it gets a 304. Compares weakly (RFC 9110 §8.8.3.2).
 */
export function matchesETag(ifNoneMatch: IfNoneMatch, value: string): boolean {
  return ifNoneMatch === 'any' || ifNoneMatch.some((tag) => tag.value === value);
}

function parseTags(header: HeaderLines): ETag[] {
  return headerLines(header).flatMap(parseLine);
}

function parseLine(line: string): ETag[] {
  const scanner = new Scanner(line);
  const tags: ETag[] = [];
  for (;;) {
    scanner.take(SEPARATORS);
    const match = scanner.take(ENTITY_TAG);
    if (match === undefined) return tags;
    tags.push({ isWeak: match[1] !== undefined, value: match[2] ?? match[3] ?? '' });
  }
}
