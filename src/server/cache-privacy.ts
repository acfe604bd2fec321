import { AccessError } from '../access/access-error.ts';
import type { Principal } from '../access/principal.ts';

export type CacheHeaders = Readonly<Record<'Cache-Control', string>>;

const PRIVATE = { 'Cache-Control': 'private' };
const NO_STORE = { 'Cache-Control': 'no-store' };

/**
 * Returns the headers that forbid shared caches in front of Larder to keep the answer to a client that has proved who
 * it is. RFC 9111 §3.5 forbids it already, but nginx, for instance, keeps answers without a look at the request's
 * Authorization. What a client without credentials gets, every client gets.
 */
export function privacyOf(principal: Principal): CacheHeaders | undefined {
  return principal.kind === 'anonymous' ? undefined : PRIVATE;
}

/** The same for an error. A refusal is never kept: with credentials, or after a change of rules, it is another one. */
export function errorPrivacyOf(error: unknown, principal: Principal): CacheHeaders | undefined {
  return error instanceof AccessError ? NO_STORE : privacyOf(principal);
}
