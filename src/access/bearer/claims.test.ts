import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../action.ts';
import { CATALOG } from '../identity.ts';
import { ANONYMOUS, type Principal } from '../principal.ts';
import { readClaims, toClaims, type Claimed } from './claims.ts';

const ALICE: Principal = { kind: 'user', name: 'alice' };

/** The claims as a verifier gets them. */
function throughJson(claimed: Claimed): Record<string, unknown> {
  return JSON.parse(JSON.stringify(toClaims(claimed))) as Record<string, unknown>;
}

it('writes the access as the token specification does', () => {
  const grant = new Map([
    ['docker.io/library/debian', new Set(['pull', 'tags'] as const)],
    [CATALOG, new Set(['tags'] as const)],
  ]);
  expect(throughJson({ identity: { principal: ALICE, grant }, proof: 'p' })).toEqual({
    sub: 'user:alice',
    principal: { kind: 'user', name: 'alice' },
    proof: 'p',
    access: [
      { type: 'repository', name: 'docker.io/library/debian', actions: ['pull', 'tags'] },
      { type: 'registry', name: 'catalog', actions: ['*'] },
    ],
  });
});

it('reads back any identity, and what proved it', () => {
  const text = fc.string({ unit: 'grapheme' });
  const principal: fc.Arbitrary<Principal> = fc.oneof(
    fc.constant(ANONYMOUS),
    fc.record({ kind: fc.constantFrom('user', 'token'), name: text }),
    fc.record(
      {
        kind: fc.constant('oidc'),
        issuer: text,
        subject: text,
        groups: fc.array(text),
        serviceAccount: fc.record({ namespace: text, name: text }),
      },
      { requiredKeys: ['kind', 'issuer', 'subject', 'groups'] },
    ),
  );
  const name = fc.stringMatching(/^[a-z0-9.]{1,9}\/[a-z0-9/]{1,9}$/);
  const grant = fc
    .array(fc.tuple(name, fc.subarray([...ACTIONS])))
    .map((entries) => new Map(entries.map(([key, actions]) => [key, new Set(actions)])));
  fc.assert(
    fc.property(principal, grant, fc.option(text, { nil: undefined }), (who, granted, proof) => {
      const claimed = { identity: { principal: who, grant: granted }, proof };
      expect(readClaims(throughJson(claimed))).toEqual(claimed);
    }),
  );
});

describe('readClaims refuses', () => {
  const good = throughJson({ identity: { principal: ALICE, grant: new Map() }, proof: 'p' });

  it('nothing of what it has written itself', () => expect(readClaims(good)).toBeDefined());

  it.each<[string, Record<string, unknown>]>([
    ['no principal', { principal: undefined }],
    ['a principal that is a text', { principal: 'user:alice' }],
    ['another kind of principal', { principal: { kind: 'root', name: 'alice' } }],
    ['a user without a name', { principal: { kind: 'user' } }],
    ['a subject without its issuer', { principal: { kind: 'oidc', subject: 'x', groups: [] } }],
    ['groups that are none', { principal: { kind: 'oidc', issuer: 'a', subject: 'x', groups: [1] } }],
    [
      'half a service account',
      { principal: { kind: 'oidc', issuer: 'a', subject: 'x', groups: [], serviceAccount: { name: 'b' } } },
    ],
    ['a proof that is no text', { proof: 1 }],
    ['no access', { access: undefined }],
    ['access that is no list', { access: {} }],
    ['a member that is none', { access: [null] }],
    ['another type', { access: [{ type: 'host', name: 'a/b', actions: ['pull'] }] }],
    ['an action that is unknown', { access: [{ type: 'repository', name: 'a/b', actions: ['root'] }] }],
    [
      'a repository called as the catalog',
      { access: [{ type: 'repository', name: CATALOG, actions: ['tags'] }] },
    ],
  ])('%s', (_, claims) => expect(readClaims({ ...good, ...claims })).toBeUndefined());
});
