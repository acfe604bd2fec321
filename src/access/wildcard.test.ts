import { expect, it } from 'vitest';
import { matchesWildcard } from './wildcard.ts';

it.each([
  ['acme', 'acme', true],
  ['acme', 'acme2', false],
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['a*a', 'a', false],
  ['a*a', 'aa', true],
  ['repo:acme/*:ref:refs/heads/*', 'repo:acme/app:ref:refs/heads/main', true],
  ['repo:acme/*:ref:refs/tags/*', 'repo:acme/app:ref:refs/heads/main', false],
  ['*b*b', 'ab', false],
  ['*b*b', 'abb', true],
  ['.*', 'a', false],
])('%j against %j: %s', (pattern, text, expected) => {
  expect(matchesWildcard(pattern, text)).toBe(expected);
});
