import { expect, it } from 'vitest';
import { parseServiceAccount } from './service-account.ts';

it.each([
  ['system:serviceaccount:ci:builder', { namespace: 'ci', name: 'builder' }],
  ['system:serviceaccount:team-1:build.bot-2', { namespace: 'team-1', name: 'build.bot-2' }],
  [`system:serviceaccount:${'n'.repeat(63)}:a`, { namespace: 'n'.repeat(63), name: 'a' }],
  [`system:serviceaccount:${'n'.repeat(64)}:a`, undefined],
  [`system:serviceaccount:ci:${'a'.repeat(254)}`, undefined],
  ['system:serviceaccount:ci', undefined],
  ['system:serviceaccount:ci:', undefined],
  ['system:serviceaccount::builder', undefined],
  ['system:serviceaccount:ci:builder:more', undefined],
  ['system:serviceaccount:ci:builder\n', undefined],
  ['system:serviceaccount:CI:builder', undefined],
  ['system:serviceaccount:a.b:builder', undefined],
  ['system:serviceaccount:ci:-builder', undefined],
  ['system:serviceaccount:ci:a/../b', undefined],
  ['xsystem:serviceaccount:ci:builder', undefined],
  ['system:node:worker', undefined],
])('%j names %j', (subject, expected) => {
  expect(parseServiceAccount(subject)).toEqual(expected);
});

it('takes linear time for a long name that is none', () => {
  expect(parseServiceAccount(`system:serviceaccount:ci:${'a-'.repeat(500)}`)).toBeUndefined();
});
