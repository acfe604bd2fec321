import { parseNextLink } from '../../http/link.ts';
import type { UpstreamResponse } from '../transport/response.ts';
import { UpstreamError } from '../error.ts';

/**
 * Returns the query of the next page; undefined after the last page.
 * @throws UpstreamError `content` if the answer has a link to a next page that cannot be read: without that page, half
 *   a list would look like a whole one
 */
export function nextQuery(upstream: string, answer: UpstreamResponse): URLSearchParams | undefined {
  const next = parseNextLink(answer.headers['link']);
  if (next === 'none') return undefined;
  if (next !== 'unreadable') return next;
  const message = 'sent a page whose link to the next one cannot be read';
  throw new UpstreamError(upstream, 'unavailable', 'content', message, { status: answer.status });
}
