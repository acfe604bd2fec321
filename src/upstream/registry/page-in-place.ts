import { bareMediaType } from '../../oci/media-type.ts';
import { digestAlgorithm, digestOf, type Digest } from '../../oci/digest.ts';
import { UpstreamError } from '../error.ts';
import { contentLength } from '../transport/headers.ts';
import type { UpstreamResponse } from '../transport/response.ts';
import type { FetchedBlob } from '../upstream.ts';

/** Most bytes of a page: login pages and captive portals are smaller. A larger blob of HTML passes as it arrives. */
const MAX_PAGE_BYTES = 256 * 1024;

/**
 * Whether an answer to a request for a blob may be a page for people, such as a proxy sends with 200 for any request.
 */
export function mayBePage(answer: UpstreamResponse): boolean {
  if (answer.status !== 200 || bareMediaType(answer.header('content-type')) !== 'text/html') return false;
  return (contentLength(answer.headers) ?? 0) <= MAX_PAGE_BYTES;
}

/**
 * Reads such an answer whole. An artifact may have HTML as a layer, so the digest decides whether it is a page. It must
 * do so before the client gets a header, since a body that is cut tells the client nothing.
 * @throws UpstreamError `content` if it is a page
 */
export async function unlessPage(
  upstream: string,
  answer: UpstreamResponse,
  digest: Digest,
): Promise<FetchedBlob> {
  using document = await answer.body.document(MAX_PAGE_BYTES);
  const bytes = new Uint8Array(document.bytes);
  if (digestOf(bytes, digestAlgorithm(digest)) === digest) {
    return { body: bodyOf(bytes), start: 0, size: bytes.length };
  }
  const message = 'sent a page (text/html) for a blob';
  throw new UpstreamError(upstream, 'unavailable', 'content', message, { status: 200 });
}

function bodyOf(bytes: Uint8Array): FetchedBlob['body'] {
  return {
    async *[Symbol.asyncIterator]() {
      yield [bytes];
    },
    destroy() {},
  };
}
