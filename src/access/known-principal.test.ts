import { expect, test } from 'vitest';
import { isKnownPrincipal, knownPrincipal, proofOfPassword } from './known-principal.ts';
import type { Principal } from './principal.ts';
import { makeToken } from './tokens/static-token.ts';
import { NO_TOKENS, type TokenList } from './tokens/token-list.ts';
import { Users } from './users/users.ts';

const { token } = makeToken({ name: 'ci', now: 0 }, (bytes) => Buffer.alloc(bytes));
const ACCOUNTS = {
  users: { value: new Users(new Map([['alice', 'hash']])) },
  tokens: { value: new Map([[token.id, token]]) },
};

const RIGHT = proofOfPassword('hash');

test.each<[Principal, string | undefined, boolean]>([
  [{ kind: 'anonymous' }, undefined, true],
  [{ kind: 'user', name: 'alice' }, RIGHT, true],
  [{ kind: 'user', name: 'alice' }, proofOfPassword('another hash'), false],
  [{ kind: 'user', name: 'alice' }, token.id, false],
  [{ kind: 'user', name: 'alice' }, undefined, false],
  [{ kind: 'user', name: 'eve' }, RIGHT, false],
  [{ kind: 'user', name: 'ci' }, token.id, false],
  [{ kind: 'token', name: 'ci' }, token.id, true],
  [{ kind: 'token', name: 'ci' }, '0123456789ab', false],
  [{ kind: 'token', name: 'ci' }, undefined, false],
  [{ kind: 'token', name: 'alice' }, token.id, false],
  [{ kind: 'oidc', issuer: 'github', subject: 'a', groups: [] }, undefined, true],
])('%o exists, by the proof %s: %s', (principal, proof, isKnown) => {
  expect(isKnownPrincipal(principal, proof, ACCOUNTS)).toBe(isKnown);
});

test('the question of each request is answered by the files as they are now', () => {
  const users = { value: ACCOUNTS.users.value };
  const tokens: { value: TokenList } = { value: ACCOUNTS.tokens.value };
  const alice = knownPrincipal({ kind: 'user', name: 'alice' }, RIGHT, { users, tokens });
  const ci = knownPrincipal({ kind: 'token', name: 'ci' }, token.id, { users, tokens });
  const asked = (): readonly boolean[] => [alice(), alice(), ci(), ci()];
  expect(asked()).toEqual([true, true, true, true]);
  users.value = new Users(new Map([['alice', 'another hash']]));
  expect(asked()).toEqual([false, false, true, true]);
  tokens.value = NO_TOKENS;
  expect(asked()).toEqual([false, false, false, false]);
  users.value = ACCOUNTS.users.value;
  expect(asked()).toEqual([true, true, false, false]);
  tokens.value = ACCOUNTS.tokens.value;
  expect(asked()).toEqual([true, true, true, true]);
});

test('the proof of a password does not hold its hash', () => {
  expect(proofOfPassword('$2b$04$secret')).toMatch(/^[0-9a-f]{16}$/);
});
