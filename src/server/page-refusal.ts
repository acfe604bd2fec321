import type { AccessError } from '../access/access-error.ts';
import { formatRetryAfter } from '../http/retry-after.ts';
import { BASIC_CHALLENGE } from './v2/challenge-of.ts';
import { errorAnswer } from './v2/error-table.ts';

/** The answer to a page's client that access control refuses. */
export interface PageRefusal {
  readonly status: 401 | 404 | 429 | 503;
  readonly headers: Record<string, string>;
  readonly text: string;
}

/** Challenges by Basic, since no token is issued for a page. */
export function refusePage(error: AccessError): PageRefusal {
  const { message, retryAfterMs, ...answer } = errorAnswer(error, { kind: undefined, hasFallback: false });
  const status = answer.status as PageRefusal['status'];
  return {
    status,
    headers: {
      'Content-Type': 'text/plain; charset=UTF-8',
      'Cache-Control': 'no-store',
      ...(status === 401 && { 'WWW-Authenticate': BASIC_CHALLENGE }),
      ...(retryAfterMs !== undefined && { 'Retry-After': formatRetryAfter(retryAfterMs) }),
    },
    text: `${message}\n`,
  };
}
