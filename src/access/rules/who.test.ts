import { expect, it } from 'vitest';
import { ANONYMOUS, type Principal } from '../principal.ts';
import { means, type Groups, type Who } from './who.ts';

const ALICE: Principal = { kind: 'user', name: 'alice' };
const ROBOT: Principal = { kind: 'token', name: 'alice' };
const BUILD: Principal = {
  kind: 'oidc',
  issuer: 'github',
  subject: 'repo:acme/app:ref:refs/heads/main',
  groups: ['github:acme'],
};
const POD: Principal = {
  kind: 'oidc',
  issuer: 'cluster',
  subject: 'system:serviceaccount:ci:builder',
  groups: [],
  serviceAccount: { namespace: 'ci', name: 'builder' },
};
const ALL = { ANONYMOUS, ALICE, ROBOT, BUILD, POD };
const GROUPS: Groups = new Map([['platform', [{ kind: 'user', name: 'alice' }]]]);

it.each<[Who, readonly (keyof typeof ALL)[]]>([
  [{ kind: 'anonymous' }, ['ANONYMOUS', 'ALICE', 'ROBOT', 'BUILD', 'POD']],
  [{ kind: 'authenticated' }, ['ALICE', 'ROBOT', 'BUILD', 'POD']],
  [{ kind: 'user', name: 'alice' }, ['ALICE']],
  [{ kind: 'user', name: 'al*e' }, ['ALICE']],
  [{ kind: 'user', name: 'alic' }, []],
  [{ kind: 'user', name: 'alice*e' }, []],
  [{ kind: 'token', name: '*' }, ['ROBOT']],
  [{ kind: 'group', name: 'platform' }, ['ALICE']],
  [{ kind: 'group', name: 'github:acme' }, ['BUILD']],
  [{ kind: 'group', name: 'github:a*' }, ['BUILD']],
  [{ kind: 'group', name: 'plat*' }, []],
  [{ kind: 'oidc', issuer: 'github', subject: 'repo:acme/*:ref:refs/heads/main' }, ['BUILD']],
  [{ kind: 'oidc', issuer: 'cluster', subject: '*' }, ['POD']],
  [{ kind: 'oidc', issuer: 'github', subject: 'repo:acme/other:*' }, []],
  [{ kind: 'serviceaccount', namespace: 'ci', name: '*' }, ['POD']],
  [{ kind: 'serviceaccount', namespace: 'prod', name: '*' }, []],
])('%j means %j', (who, expected) => {
  const meant = Object.entries(ALL).filter(([, principal]) => means(who, principal, GROUPS));
  expect(meant.map(([name]) => name)).toEqual(expected);
});
