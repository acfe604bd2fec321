import { isEmptyDigest, type Digest } from '../../oci/digest.ts';
import { encodingOf } from '../transport/content-encoding.ts';
import { contentLength, type AnswerHeaders } from '../transport/headers.ts';

/**
 * The size in bytes that an answer without the content tells of it. Undefined where it tells none, or what may be the
 * length of something else: of no body at all, as some proxies answer HEAD, or of a compressed one (RFC 9110 §8.6
 * lets a HEAD tell what GET would have). Docker and ORAS refuse what is longer or shorter than a HEAD has told.
 */
export function toldSize(headers: AnswerHeaders, digest: Digest | undefined): number | undefined {
  if (encodingOf(headers) !== undefined) return undefined;
  const length = contentLength(headers);
  const isEmpty = digest !== undefined && isEmptyDigest(digest);
  return length === 0 && !isEmpty ? undefined : length;
}
