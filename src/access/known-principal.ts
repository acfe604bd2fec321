import type { Principal } from './principal.ts';
import type { TokenList } from './tokens/token-list.ts';
import type { Users } from './users/users.ts';

/** The users and static tokens at present. */
export interface Accounts {
  readonly users: { readonly value: Users };
  readonly tokens: { readonly value: TokenList };
}

/**
 * Returns whether a principal that a token of Larder's own names still exists: the token may be older than the last
 * change of the files. What an issuer vouches for is known to it alone.
 */
export function isKnownPrincipal(principal: Principal, { users, tokens }: Accounts): boolean {
  if (principal.kind === 'user') return users.value.hashOf(principal.name) !== undefined;
  if (principal.kind !== 'token') return true;
  return [...tokens.value.values()].some(({ name }) => name === principal.name);
}
