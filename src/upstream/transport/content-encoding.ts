import type { UpstreamResponse } from './response.ts';
import { UpstreamError } from '../error.ts';
import { headerText, type ResponseHeaders } from './headers.ts';

/**
 * The codings that change bytes (RFC 9110 §8.4.1 and the registry it names). Other values of Content-Encoding do not:
 * object stores repeat there what a client set at its upload (`aws-chunked`, `utf-8`, `binary`, `none`).
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

/** Returns the Content-Encoding if it says that the bytes are encoded. It may be wrong: stores mislabel content. */
export function encodingOf(headers: ResponseHeaders): string | undefined {
  const label = headerText(headers, 'content-encoding')?.trim().toLowerCase();
  const tokens = label?.split(',').map((token) => token.trim()) ?? [];
  return tokens.some((token) => CODINGS.has(token)) ? label : undefined;
}

/**
 * Refuses a document that was compressed although identity was asked for (moby#17595; registry.access.redhat.com).
 * Content with a digest does not need this: its digest decides, since stores put such labels on layers that are intact.
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
