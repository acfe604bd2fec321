import { headerText, type AnswerHeaders } from './headers.ts';

/** Docker Hub's account of pulls (https://docs.docker.com/docker-hub/usage/pulls/): `100;w=21600`. */
export interface RateLimit {
  readonly limit: number;
  readonly remaining: number;
}

/** Docker Hub counts over hours. What others count over seconds are requests, and there are more in a moment. */
const MIN_WINDOW_S = 3600;

/** Undefined where the answer does not carry both headers with such a window; an account without a limit gets none. */
export function parseRateLimit(headers: AnswerHeaders): RateLimit | undefined {
  const limit = parseCount(headerText(headers, 'ratelimit-limit'));
  const remaining = parseCount(headerText(headers, 'ratelimit-remaining'));
  return limit === undefined || remaining === undefined ? undefined : { limit, remaining };
}

function parseCount(text: string | undefined): number | undefined {
  const [, count, window] = /^\s*([0-9]{1,15})\s*;\s*w=([0-9]{1,15})\s*(?:[;,]|$)/.exec(text ?? '') ?? [];
  if (count === undefined || Number(window) < MIN_WINDOW_S) return undefined;
  return Number(count);
}
