import { expect, it } from 'vitest';
import type { Principal } from '../../access/principal.ts';
import { loadConfig } from '../../config/load.ts';
import { principalOf } from './principal-of.ts';

const TEXT = `access:
  anonymous: pull
  oidc:
    github: { issuer: "https://a.example", audience: b }
    cluster: { issuer: "https://b.example", audience: b, serviceAccounts: true }
    other: { issuer: "https://c.example", audience: b, serviceAccounts: true }
`;
const sources = { env: {}, cwd: '/srv', home: '/root', readText: () => TEXT, isProgram: () => false };
const CONFIG = loadConfig('config.yaml', sources);
const BUILDER = { namespace: 'ci', name: 'builder' };
const SUBJECT = 'system:serviceaccount:ci:builder';

it.each<[string, readonly string[], Principal]>([
  ['anonymous', [], { kind: 'anonymous' }],
  ['user:alice', [], { kind: 'user', name: 'alice' }],
  ['token:ci', [], { kind: 'token', name: 'ci' }],
  [
    'oidc:github:repo:acme/app:ref:refs/heads/main',
    ['acme', 'github:team'],
    {
      kind: 'oidc',
      issuer: 'github',
      subject: 'repo:acme/app:ref:refs/heads/main',
      groups: ['github:acme', 'github:team'],
      serviceAccount: undefined,
    },
  ],
  [
    'serviceaccount:ci/builder',
    [],
    { kind: 'oidc', issuer: 'cluster', subject: SUBJECT, groups: [], serviceAccount: BUILDER },
  ],
  [
    `oidc:other:${SUBJECT}`,
    [],
    { kind: 'oidc', issuer: 'other', subject: SUBJECT, groups: [], serviceAccount: BUILDER },
  ],
])('%s with the groups %j', (word, groups, principal) => {
  expect(principalOf({ word, groups }, CONFIG)).toEqual(principal);
});

const ONE_CLIENT =
  'expected one client: anonymous, user:NAME, token:NAME, oidc:ISSUER:SUBJECT or serviceaccount:NAMESPACE/NAME';

it.each([
  ['alice', ONE_CLIENT],
  ['group:', ONE_CLIENT],
  ['user:a*', 'expected one client, without "*"'],
  ['authenticated', ONE_CLIENT],
  ['group:acme', ONE_CLIENT],
  ['oidc:github', 'expected oidc:ISSUER:SUBJECT'],
  ['oidc:gitlab:x', 'expected an issuer of access.oidc, got "gitlab"'],
  ['oidc:cluster:x', 'expected a subject such as system:serviceaccount:NAMESPACE:NAME, as cluster has them'],
])('%s: %s', (word, message) => {
  expect(() => principalOf({ word, groups: [] }, CONFIG)).toThrow(message);
});

it('only tokens of issuers name groups', () => {
  expect(() => principalOf({ word: 'user:alice', groups: ['acme'] }, CONFIG)).toThrow('beside --group');
});

it('no service account is known without an issuer of such', () => {
  const none = { access: undefined };
  expect(() => principalOf({ word: 'serviceaccount:ci/builder', groups: [] }, none)).toThrow(
    'expected an issuer in access.oidc with "serviceAccounts: true"',
  );
});
