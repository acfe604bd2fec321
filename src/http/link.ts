import { Scanner, type HeaderLines } from './scanner.ts';

/** Of all lines together: far above the longest opaque page token seen in the field. */
const MAX_LENGTH = 16 * 1024;

/** `n`, `last` and what registries add (`orderby`, `next_page`, `nextToken`). */
const MAX_QUERY_PARAMETERS = 16;

/** `none`: what was read is all that there is. `unreadable`: there may be more, and it cannot be told where. */
export type NextLink = URLSearchParams | 'none' | 'unreadable';

interface Link {
  readonly target: string;
  /** Its relation types, in lower case; undefined where it names none. */
  readonly relations: readonly string[] | undefined;
}

/**
 * The query of an upstream's `rel="next"` link (RFC 8288). Only that: host and path come from Larder's own
 * configuration, or a registry could send its client, token and all, to any server (CVE-2026-85732).
 *
 * It is read as kindly as registry clients read it: a target without brackets, one without any relation, blanks
 * anywhere, single quotes. A list must not end where a link could not be read, so that is told apart from no link.
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
 * Larder's own link to the next page: relative, since clients compare its origin with the one they asked and
 * Larder may not know how it is seen from outside (distribution-spec, "Listing Tags").
 * @param path the path asked for, of validated segments: `/v2/library/debian/tags/list`.
 */
export function formatNextLink(path: string, query: URLSearchParams): string {
  return `<${path}?${query.toString()}>; rel="next"`;
}

/** Up to the next comma outside of quotes. Without brackets the target goes up to the first semicolon. */
const LINK = /[\s,]*(?:<([^>]*)>|([^\s;,<][^;]*))((?:[^",]|"[^"]*"|")*)/y;
const PARAMETER = /([^\s;,="']+)\s*(?:=\s*("[^"]*"?|'[^']*'?|[^;,"']*))?/g;

/** Undefined where a part of the line is no link. */
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
