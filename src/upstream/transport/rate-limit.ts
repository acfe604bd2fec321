import { headerText, type ResponseHeaders } from './headers.ts';

/** Docker Hub's count of pulls (https://docs.docker.com/docker-hub/usage/pulls/): `100;w=21600`. */
export interface RateLimit {
  readonly limit: number;
  readonly remaining: number;
  /** The time, in milliseconds, over which pulls count. */
  readonly windowMs: number;
}

/** Docker Hub counts pulls over hours. Other registries count requests over seconds, and allow more in a moment. */
const MIN_WINDOW_S = 3600;

/** Reads the pull limit; undefined unless both headers have a window of hours. An account without a limit gets none. */
export function parseRateLimit(headers: ResponseHeaders): RateLimit | undefined {
  const limit = parseCount(headerText(headers, 'ratelimit-limit'));
  const remaining = parseCount(headerText(headers, 'ratelimit-remaining'));
  if (limit === undefined || remaining === undefined) return undefined;
  return { limit: limit.count, remaining: remaining.count, windowMs: remaining.windowS * 1000 };
}

function parseCount(
  text: string | undefined,
): { readonly count: number; readonly windowS: number } | undefined {
  const [, count, window] = /^\s*([0-9]{1,15})\s*;\s*w=([0-9]{1,15})\s*(?:[;,]|$)/.exec(text ?? '') ?? [];
  const windowS = Number(window);
  return count === undefined || windowS < MIN_WINDOW_S ? undefined : { count: Number(count), windowS };
}
