import type { UpstreamResponse } from './response.ts';
import { UpstreamError } from '../error.ts';
import { headerText, type AnswerHeaders } from './headers.ts';

/**
 * The codings that change bytes (RFC 9110 §8.4.1 and the registry it names). What else stands in a Content-Encoding
 * does not: object stores tell there what they were given at an upload (`aws-chunked`, `utf-8`, `binary`, `none`).
 */
const CODINGS: ReadonlySet<string> = new Set([
  'gzip',
  'x-gzip',
  'deflate',
  'compress',
  'x-compress',
  'br',
  'zstd',
  'dcb',
  'dcz',
]);

/** The Content-Encoding, where it says that the bytes are not those of the content. It may be wrong in that. */
export function encodingOf(headers: AnswerHeaders): string | undefined {
  const label = headerText(headers, 'content-encoding')?.trim().toLowerCase();
  const tokens = label?.split(',').map((token) => token.trim()) ?? [];
  return tokens.some((token) => CODINGS.has(token)) ? label : undefined;
}

/**
 * Refuses a document that was compressed although identity was asked for (moby#17595; registry.access.redhat.com).
 * Not for what has a digest: that decides, since stores have such labels of layers that are as they should be.
 * @throws UpstreamError `content`; the body is destroyed
 */
export function requireIdentity(upstream: string, answer: UpstreamResponse): void {
  const encoding = encodingOf(answer.headers);
  if (encoding === undefined) return;
  answer.body.destroy();
  throw new UpstreamError(
    upstream,
    'unavailable',
    'content',
    `sent a body with Content-Encoding ${encoding}`,
    { status: answer.status },
  );
}
