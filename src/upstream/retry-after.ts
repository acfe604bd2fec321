import type { Clock } from '../clock.ts';
import { parseRetryAfter } from '../http/retry-after.ts';
import type { Answer } from './answer.ts';

/** The wait that an answer asks for, in milliseconds, where it asks for one. */
export function retryAfterMs(answer: Answer, clock: Clock): number | undefined {
  return parseRetryAfter(answer.header('retry-after'), clock.now());
}
