import { UpstreamError } from './error.ts';
import type { Answer } from './answer.ts';
import type { HopRequest, Send } from './transport.ts';

/** As Go's client and containerd do. */
const MAX_REDIRECTS = 10;

/** 301 at Harbor, 302 at Quay and GitLab, 307 at most others. */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Where a redirect leads, or why it may not be followed. */
export type NextHop = { readonly url: URL } | { readonly refusal: string };

/**
 * Reads a Location (RFC 9110 §10.2.2), relative ones against `current`. From https never to http; user
 * information in it is dropped, as a registry has no business logging Larder in anywhere.
 */
export function nextHop(current: URL, location: string | undefined): NextHop {
  const url = location === undefined ? null : URL.parse(location, current.href);
  if (url === null) return { refusal: 'redirected without a usable Location' };
  if (url.protocol !== 'https:' && (url.protocol !== 'http:' || current.protocol === 'https:')) {
    return { refusal: `redirected from ${current.protocol}// to ${url.protocol}//` };
  }
  url.username = '';
  url.password = '';
  url.hash = '';
  return { url };
}

/**
 * Sends a GET or HEAD and follows its redirects. `send` decides for each hop what authorizes it, so that the
 * headers given here must hold nothing that only one host may see.
 * @throws UpstreamError `redirect` where it leads nowhere, too far or to where it may not
 */
export async function follow(upstream: string, first: HopRequest, send: Send): Promise<Answer> {
  let hop = first;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const answer = await send(hop);
    if (!REDIRECTS.has(answer.status)) return answer;
    await answer.body.discard();
    const next = nextHop(hop.url, answer.header('location'));
    if ('refusal' in next) {
      throw new UpstreamError(upstream, 'unavailable', 'redirect', next.refusal, { status: answer.status });
    }
    hop = { ...hop, url: next.url };
  }
  throw new UpstreamError(upstream, 'unavailable', 'redirect', `redirected more than ${MAX_REDIRECTS} times`);
}
