import { expect, test } from 'vitest';
import { isKnownPrincipal } from './known-principal.ts';
import type { Principal } from './principal.ts';
import { makeToken } from './tokens/static-token.ts';
import { Users } from './users/users.ts';

const { token } = makeToken({ name: 'ci', now: 0 }, (bytes) => Buffer.alloc(bytes));
const ACCOUNTS = {
  users: { value: new Users(new Map([['alice', 'hash']])) },
  tokens: { value: new Map([[token.id, token]]) },
};

test.each<[Principal, boolean]>([
  [{ kind: 'anonymous' }, true],
  [{ kind: 'user', name: 'alice' }, true],
  [{ kind: 'user', name: 'eve' }, false],
  [{ kind: 'user', name: 'ci' }, false],
  [{ kind: 'token', name: 'ci' }, true],
  [{ kind: 'token', name: 'alice' }, false],
  [{ kind: 'oidc', issuer: 'github', subject: 'a', groups: [] }, true],
])('%o exists: %s', (principal, isKnown) => {
  expect(isKnownPrincipal(principal, ACCOUNTS)).toBe(isKnown);
});
