import LinkHeader from 'http-link-header';
import { headerLines, type HeaderLines } from './scanner.ts';

/** Above the longest opaque page token seen in the field, below what makes the parser's work noticeable. */
const MAX_LINE_LENGTH = 4096;

/** A link that says what comes next is among the first ones. */
const MAX_LINES = 4;

/** `n`, `last` and what registries add (`orderby`, `next_page`, `nextToken`). */
const MAX_QUERY_PARAMETERS = 16;

/**
 * The query of an upstream's `rel="next"` link (RFC 8288). Only that: host and path come from Larder's own
 * configuration, or a registry could send its client, token and all, to any server (CVE-2026-85732).
 * Undefined where there is no such link, or one that cannot be read.
 */
export function parseNextLink(header: HeaderLines): URLSearchParams | undefined {
  for (const line of headerLines(header).slice(0, MAX_LINES)) {
    const uri = line.length <= MAX_LINE_LENGTH ? nextUri(line) : undefined;
    const query = uri === undefined ? undefined : queryOf(uri);
    if (query !== undefined) return query;
  }
  return undefined;
}

/**
 * Larder's own link to the next page: relative, since clients compare its origin with the one they asked and
 * Larder may not know how it is seen from outside (distribution-spec, "Listing Tags").
 * @param path the path asked for, of validated segments: `/v2/library/debian/tags/list`.
 */
export function formatNextLink(path: string, query: URLSearchParams): string {
  return `<${path}?${query.toString()}>; rel="next"`;
}

function nextUri(line: string): string | undefined {
  try {
    const uri: unknown = LinkHeader.parse(line).rel('next')[0]?.uri;
    return typeof uri === 'string' ? uri : undefined;
  } catch {
    return undefined;
  }
}

function queryOf(uri: string): URLSearchParams | undefined {
  const [, query] = /^[^?#]*\?([^#]+)/.exec(uri) ?? [];
  if (query === undefined) return undefined;
  const params = new URLSearchParams(query);
  return params.size <= MAX_QUERY_PARAMETERS ? params : undefined;
}
