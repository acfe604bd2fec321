import { Scanner, type HeaderLines } from './scanner.ts';

/** Most characters of all lines together: far above the longest opaque page token seen in the field. */
const MAX_LENGTH = 16 * 1024;

/** Most parameters of a query: `n`, `last` and those that registries add (`orderby`, `next_page`, `nextToken`). */
const MAX_QUERY_PARAMETERS = 16;

/** `none`: this is the last page. `unreadable`: there may be a next page, but its link cannot be read. */
export type NextLink = URLSearchParams | 'none' | 'unreadable';

interface Link {
  readonly target: string;
  /** Its relation types, in lower case; undefined if it names none. */
  readonly relations: readonly string[] | undefined;
}

/**
 * Returns the query of an upstream's `rel="next"` link (RFC 8288), and only the query: host and path come from Larder's
 * own configuration, or a registry could send its client, token and all, to any server (CVE-2026-85732).
 *
 * The link is read as leniently as registry clients read it: a target without brackets, a link without any relation,
 * blanks anywhere, single quotes. An unreadable link differs from no link, since a list must not end at one.
 */
export function parseNextLink(header: HeaderLines): NextLink {
  const lines = typeof header === 'string' ? [header] : (header ?? []);
  if (lines.reduce((sum, { length }) => sum + length, 0) > MAX_LENGTH) return 'unreadable';
  const links = lines.map(parseLinks);
  const known = links.flatMap((line) => line ?? []);
  const next = known.find(({ relations }) => relations?.includes('next')) ?? known.find(isUnrelated);
  if (next === undefined) return links.every((line) => line !== undefined) ? 'none' : 'unreadable';
  // An empty target is the page itself (RFC 3986 §4.4).
  if (next.target === '') return 'none';
  return queryOf(next.target) ?? 'unreadable';
}

/**
 * Formats Larder's own link to the next page. It is relative, since clients compare its origin with the one they asked,
 * and Larder may not know its own origin as seen from outside (distribution-spec, "Listing Tags").
 * @param path the path asked for, made of validated segments: `/v2/library/debian/tags/list`
 */
export function formatNextLink(path: string, query: URLSearchParams): string {
  return `<${path}?${query.toString()}>; rel="next"`;
}

/** A link, up to the next comma outside of quotes. A target without brackets goes up to the first semicolon. */
const LINK = /[\s,]*(?:<([^>]*)>|([^\s;,<][^;]*))((?:[^",]|"[^"]*"|")*)/y;
const PARAMETER = /([^\s;,="']+)\s*(?:=\s*("[^"]*"?|'[^']*'?|[^;,"']*))?/g;

/** Reads the links of a line; returns undefined if a part of it is no link. */
function parseLinks(line: string): readonly Link[] | undefined {
  const scanner = new Scanner(line);
  const links: Link[] = [];
  for (let match = scanner.take(LINK); match !== undefined; match = scanner.take(LINK)) {
    const [, bracketed, bare, parameters = ''] = match;
    links.push({ target: (bracketed ?? bare ?? '').trim(), relations: relationsOf(parameters) });
  }
  scanner.take(/[\s,]*/y);
  return scanner.isAtEnd ? links : undefined;
}

function relationsOf(parameters: string): readonly string[] | undefined {
  for (const [, name = '', value = ''] of parameters.matchAll(PARAMETER)) {
    if (name.toLowerCase() === 'rel') return value.toLowerCase().replaceAll(/["']/g, '').trim().split(/\s+/);
  }
  return undefined;
}

function isUnrelated({ target, relations }: Link): boolean {
  return relations === undefined && target.includes('?');
}

function queryOf(target: string): URLSearchParams | undefined {
  const [, query] = /^[^?#]*\?([^#]+)/.exec(target) ?? [];
  if (query === undefined) return undefined;
  const params = new URLSearchParams(query);
  return params.size <= MAX_QUERY_PARAMETERS ? params : undefined;
}
