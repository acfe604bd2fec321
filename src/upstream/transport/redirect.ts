import { UpstreamError } from '../error.ts';
import type { UpstreamResponse } from './response.ts';
import type { HopRequest, Send } from './transport.ts';

/** The limit of Go's client and of containerd. */
const MAX_REDIRECTS = 10;

/** Redirecting statuses: Harbor sends 301, Quay and GitLab 302, most others 307. */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** The target of a redirect, or the reason why it may not be followed. */
export type NextHop =
  | {
      readonly url: URL;
      /** Path and query as they were written; undefined: the URL's own. */
      readonly target: string | undefined;
    }
  | { readonly refusal: string };

/**
 * Reads a Location (RFC 9110 §10.2.2), relative ones against `current`. It never leads from https to http. User
 * information is dropped, since a registry has no business logging Larder in anywhere.
 *
 * Parsing normalises a URL, and a signature may cover the text as it was written (`'`, `%2e%2e`, a bare `?`). So the
 * URL says which host is asked, and `target` says what is asked for there.
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

/** Encodes one byte: headers are read as latin1, and a URL would take each byte of UTF-8 for a letter. */
function encodeByte(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** Scheme and authority, both or neither, then path and query. */
const ABSOLUTE = /^(?:https?:)?\/\/[^/?#\\@]*(?:@[^/?#\\@]*)?(\/?[^#]*)/i;
const PATH_ONLY = /^(\/(?!\/)[^#]*)/;

/** The characters that a request line can hold. */
const VISIBLE = /^[!-~]*$/;

/** A literal dot segment: every client resolves it, so no signature covers one. */
const DOT_SEGMENT = /\/\.{1,2}(?:[/?]|$)/;

/** Returns path and query as written; undefined if they do not certainly mean `url`. */
function targetOf(written: string, url: URL): string | undefined {
  const [, rest] = ABSOLUTE.exec(written) ?? PATH_ONLY.exec(written) ?? [];
  if (rest === undefined || !VISIBLE.test(rest)) return undefined;
  const target = rest.startsWith('/') ? rest : `/${rest}`;
  const isSame = URL.parse(url.origin + target)?.href === url.href;
  return isSame && !DOT_SEGMENT.test(target.split('?', 1)[0] ?? '') ? target : undefined;
}

/**
 * Sends a GET or HEAD and follows its redirects. The headers of `first` go to every host, so they must hold no secret:
 * `send` adds the authorization for each hop.
 * @throws UpstreamError `redirect` if a redirect has no target, has a forbidden one, or there are too many
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
