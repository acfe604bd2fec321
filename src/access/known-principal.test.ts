import { expect, test } from 'vitest';
import { isKnownPrincipal, proofOfPassword } from './known-principal.ts';
import type { Principal } from './principal.ts';
import { makeToken } from './tokens/static-token.ts';
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

test('the proof of a password does not hold its hash', () => {
  expect(proofOfPassword('$2b$04$secret')).toMatch(/^[0-9a-f]{16}$/);
});
