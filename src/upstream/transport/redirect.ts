import { UpstreamError } from '../error.ts';
import type { UpstreamResponse } from './response.ts';
import type { HopRequest, Send } from './transport.ts';

/** As Go's client and containerd do. */
const MAX_REDIRECTS = 10;

/** 301 at Harbor, 302 at Quay and GitLab, 307 at most others. */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Where a redirect leads, or why it may not be followed. */
export type NextHop =
  | {
      readonly url: URL;
      /** Its path and query as they were written; undefined where they are the URL's. */
      readonly target: string | undefined;
    }
  | { readonly refusal: string };

/**
 * Reads a Location (RFC 9110 §10.2.2), relative ones against `current`. From https never to http; user
 * information in it is dropped, as a registry has no business logging Larder in anywhere.
 *
 * A URL that is parsed is also normalised, and a signature may be over what was written (`'`, `%2e%2e`, a bare `?`).
 * So the URL decides who is asked, and `target` is what is asked for there.
 */
export function nextHop(current: URL, location: string | undefined): NextHop {
  const written = location?.replaceAll(/[\x80-\xff]/g, encodeByte);
  const url = written === undefined ? null : URL.parse(written, current.href);
  if (url === null) return { refusal: 'redirected without a usable Location' };
  if (url.protocol !== 'https:' && (url.protocol !== 'http:' || current.protocol === 'https:')) {
    return { refusal: `redirected from ${current.protocol}// to ${url.protocol}//` };
  }
  url.username = '';
  url.password = '';
  url.hash = '';
  return { url, target: targetOf(written ?? '', url) };
}

/** Headers are read as latin1, and a URL would take the bytes of UTF-8 for two letters each. */
function encodeByte(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** Scheme and authority, both or neither, then path and query. */
const ABSOLUTE = /^(?:https?:)?\/\/[^/?#\\@]*(?:@[^/?#\\@]*)?(\/?[^#]*)/i;
const PATH_ONLY = /^(\/(?!\/)[^#]*)/;

/** What a request line can hold. */
const VISIBLE = /^[!-~]*$/;

/** Literal dot segments are resolved by every client, and not what anything was signed with. */
const DOT_SEGMENT = /\/\.{1,2}(?:[/?]|$)/;

/** Undefined where it is not certain that what is written means the URL. */
function targetOf(written: string, url: URL): string | undefined {
  const [, rest] = ABSOLUTE.exec(written) ?? PATH_ONLY.exec(written) ?? [];
  if (rest === undefined || !VISIBLE.test(rest)) return undefined;
  const target = rest.startsWith('/') ? rest : `/${rest}`;
  const isSame = URL.parse(url.origin + target)?.href === url.href;
  return isSame && !DOT_SEGMENT.test(target.split('?', 1)[0] ?? '') ? target : undefined;
}

/**
 * Sends a GET or HEAD and follows its redirects. `send` decides for each hop what authorizes it, so that the
 * headers given here must hold nothing that only one host may see.
 * @throws UpstreamError `redirect` where it leads nowhere, too far or to where it may not
 */
export async function follow(upstream: string, first: HopRequest, send: Send): Promise<UpstreamResponse> {
  let hop = first;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const answer = await send(hop);
    if (!REDIRECTS.has(answer.status)) return answer;
    await answer.body.discard();
    const next = nextHop(hop.url, answer.header('location'));
    if ('refusal' in next) {
      throw new UpstreamError(upstream, 'unavailable', 'redirect', next.refusal, { status: answer.status });
    }
    hop = { ...hop, ...next };
  }
  throw new UpstreamError(upstream, 'unavailable', 'redirect', `redirected more than ${MAX_REDIRECTS} times`);
}
