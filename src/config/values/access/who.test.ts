import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatWho, parseWho, type WhoConfig } from './who.ts';

it.each<[string, WhoConfig]>([
  ['anonymous', { kind: 'anonymous' }],
  ['authenticated', { kind: 'authenticated' }],
  ['user:Alice B.', { kind: 'user', name: 'Alice B.' }],
  ['token:ci-*', { kind: 'token', name: 'ci-*' }],
  ['group:platform', { kind: 'group', name: 'platform' }],
  ['group:github:acme/team', { kind: 'group', name: 'github:acme/team' }],
  ['oidc:github', { kind: 'oidc', issuer: 'github', subject: '*' }],
  ['oidc:github:repo:acme/app:*', { kind: 'oidc', issuer: 'github', subject: 'repo:acme/app:*' }],
  ['serviceaccount:ci/*', { kind: 'serviceaccount', namespace: 'ci', name: '*' }],
  ['serviceaccount:*/a.b-c', { kind: 'serviceaccount', namespace: '*', name: 'a.b-c' }],
])('%s is read, and written again', (text, who) => {
  expect(parseWho(text)).toEqual(who);
  expect(formatWho(who)).toBe(text);
});

it.each([
  '',
  'all',
  'ANONYMOUS',
  'anonymous:',
  'user:',
  'user:a:b',
  'user:a\nb',
  'group:',
  'oidc:',
  'oidc::x',
  'oidc:github:',
  'oidc:*:x',
  'serviceaccount:a',
  'serviceaccount:a/b/c',
  'serviceaccount:A/b',
  `user:${'a'.repeat(1020)}`,
])('%j is none', (text) => {
  expect(() => parseWho(text)).toThrow('expected ');
});

it('what is written of a word is read as the same', () => {
  const name = fc.stringMatching(/^[a-z0-9*/.:-]{1,20}$/);
  const words = fc
    .constantFrom('user', 'token', 'group', 'oidc', 'serviceaccount')
    .chain((kind) => name.map((rest) => `${kind}:${rest}`));
  fc.assert(
    fc.property(words, (text) => {
      const who = read(text);
      fc.pre(who !== undefined);
      expect(parseWho(formatWho(who))).toEqual(who);
    }),
  );
});

function read(text: string): WhoConfig | undefined {
  try {
    return parseWho(text);
  } catch {
    return undefined;
  }
}
