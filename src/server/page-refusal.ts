import type { AccessError } from '../access/access-error.ts';
import { formatChallenge } from '../http/challenge.ts';
import { formatRetryAfter } from '../http/retry-after.ts';
import { errorAnswer } from './v2/error-table.ts';

/** The answer to a page's client that access control refuses. */
export interface PageRefusal {
  readonly status: 401 | 404 | 429 | 503;
  readonly headers: Record<string, string>;
  readonly text: string;
}

/** A page's clients send their credentials themselves: no token of the registry is issued for a page. */
const CHALLENGE = formatChallenge('Basic', { realm: 'larder' });

export function refusePage(error: AccessError): PageRefusal {
  const { message, retryAfterMs, ...answer } = errorAnswer(error, { kind: undefined, hasFallback: false });
  const status = answer.status as PageRefusal['status'];
  return {
    status,
    headers: {
      'Content-Type': 'text/plain; charset=UTF-8',
      'Cache-Control': 'no-store',
      ...(status === 401 && { 'WWW-Authenticate': CHALLENGE }),
      ...(retryAfterMs !== undefined && { 'Retry-After': formatRetryAfter(retryAfterMs) }),
    },
    text: `${message}\n`,
  };
}
