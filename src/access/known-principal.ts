import { hash } from 'node:crypto';
import type { Principal } from './principal.ts';
import type { TokenList } from './tokens/token-list.ts';
import type { Users } from './users/users.ts';

/** The users and static tokens at present. */
export interface Accounts {
  readonly users: { readonly value: Users };
  readonly tokens: { readonly value: TokenList };
}

/**
 * Returns whether a principal that a token of Larder's own names still exists, and is still proved by what the token was
 * issued for: the token may be older than the last change of the files, and the name may have got another password or
 * another static token since. What an issuer vouches for is known to it alone.
 * @param proof as in Verified
 */
export function isKnownPrincipal(
  principal: Principal,
  proof: string | undefined,
  { users, tokens }: Accounts,
): boolean {
  if (principal.kind === 'user') {
    const hashed = users.value.hashOf(principal.name);
    return hashed !== undefined && proof === proofOfPassword(hashed);
  }
  if (principal.kind !== 'token') return true;
  return proof !== undefined && tokens.value.get(proof)?.name === principal.name;
}

/**
 * Returns `isKnownPrincipal` as a question that each request asks: the answer is made anew only when a file was read
 * again. To make it each time would cost a hash.
 */
export function knownPrincipal(
  principal: Principal,
  proof: string | undefined,
  accounts: Accounts,
): () => boolean {
  let users: Users | undefined;
  let tokens: TokenList | undefined;
  let isKnown = false;
  return () => {
    if (users === accounts.users.value && tokens === accounts.tokens.value) return isKnown;
    users = accounts.users.value;
    tokens = accounts.tokens.value;
    isKnown = isKnownPrincipal(principal, proof, { users: { value: users }, tokens: { value: tokens } });
    return isKnown;
  };
}

/**
 * Returns the proof of a user: a fingerprint of the bcrypt hash. It helps in no guess of the password, since it says
 * nothing of the hash's salt.
 */
export function proofOfPassword(hashed: string): string {
  return hash('sha256', hashed).slice(0, 16);
}
