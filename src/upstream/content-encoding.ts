import type { Answer } from './answer.ts';
import { UpstreamError } from './error.ts';

/**
 * Refuses a body that was compressed although identity was asked for: its bytes are not those of the digest
 * (moby#17595; registry.access.redhat.com).
 * @throws UpstreamError `content`; the body is destroyed
 */
export function requireIdentity(upstream: string, answer: Answer): void {
  const encoding = answer.header('content-encoding')?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'identity' || encoding === '') return;
  answer.body.destroy();
  throw new UpstreamError(
    upstream,
    'unavailable',
    'content',
    `sent a body with Content-Encoding ${encoding}`,
    {
      status: answer.status,
    },
  );
}
