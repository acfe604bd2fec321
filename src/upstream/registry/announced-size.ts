import { isEmptyDigest, type Digest } from '../../oci/digest.ts';
import { encodingOf } from '../transport/content-encoding.ts';
import { contentLength, type ResponseHeaders } from '../transport/headers.ts';

/**
 * Returns the content's size in bytes from an answer without the content. Undefined if the answer tells none, or if its
 * length may be that of something else: of an empty body (some proxies answer HEAD so) or of a compressed one (RFC 9110
 * §8.6 lets HEAD tell the length that GET would have). Docker and ORAS refuse content whose length differs from HEAD's.
 */
export function announcedSize(headers: ResponseHeaders, digest: Digest | undefined): number | undefined {
  if (encodingOf(headers) !== undefined) return undefined;
  const length = contentLength(headers);
  const isEmpty = digest !== undefined && isEmptyDigest(digest);
  return length === 0 && !isEmpty ? undefined : length;
}
