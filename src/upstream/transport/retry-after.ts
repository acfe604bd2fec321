import type { Clock } from '../../clock.ts';
import { parseRetryAfter } from '../../http/retry-after.ts';
import type { UpstreamResponse } from './response.ts';

/** However long upstream says: it is asked again after this, and so may clients. */
export const MAX_RETRY_AFTER_MS = 15 * 60_000;

/** The wait that an answer asks for, in milliseconds, where it asks for one. */
export function retryAfterMs(answer: UpstreamResponse, clock: Clock): number | undefined {
  const waitMs = parseRetryAfter(answer.header('retry-after'), clock.now());
  return waitMs === undefined ? undefined : Math.min(waitMs, MAX_RETRY_AFTER_MS);
}
