import { headerText, type AnswerHeaders } from './headers.ts';

/** Docker Hub's account of pulls (https://docs.docker.com/docker-hub/usage/pulls/): `100;w=21600`. */
export interface RateLimit {
  readonly limit: number;
  readonly remaining: number;
}

/** Undefined where the answer does not carry both headers; an account without a limit gets none. */
export function parseRateLimit(headers: AnswerHeaders): RateLimit | undefined {
  const limit = parseCount(headerText(headers, 'ratelimit-limit'));
  const remaining = parseCount(headerText(headers, 'ratelimit-remaining'));
  return limit === undefined || remaining === undefined ? undefined : { limit, remaining };
}

function parseCount(text: string | undefined): number | undefined {
  const digits = /^\s*([0-9]{1,15})\s*(?:[;,]|$)/.exec(text ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}
