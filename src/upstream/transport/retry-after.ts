import type { Clock } from '../../clock.ts';
import { parseRetryAfter } from '../../http/retry-after.ts';
import type { UpstreamResponse } from './response.ts';

/** Longest wait that an upstream can ask for: after it Larder asks again, and so may clients. */
export const MAX_RETRY_AFTER_MS = 15 * 60_000;

/** Returns the wait that an answer asks for, in milliseconds; undefined if it asks for none. */
export function retryAfterMs(answer: UpstreamResponse, clock: Clock): number | undefined {
  const waitMs = parseRetryAfter(answer.header('retry-after'), clock.now());
  return waitMs === undefined ? undefined : Math.min(waitMs, MAX_RETRY_AFTER_MS);
}
