import { expect, test } from 'vitest';
import { digestOf } from './digest.ts';
import { isRegistrySegment, splitReference } from './spelled-reference.ts';

const digest = digestOf('x');

test.each([
  ['debian', { name: 'debian', tag: undefined, digest: undefined }],
  ['debian:12', { name: 'debian', tag: '12', digest: undefined }],
  [`debian@${digest}`, { name: 'debian', tag: undefined, digest }],
  [`localhost:5000/a/b:1@${digest}`, { name: 'localhost:5000/a/b', tag: '1', digest }],
  ['localhost:5000/a', { name: 'localhost:5000/a', tag: undefined, digest: undefined }],
])('%s is split', (text, parts) => {
  expect(splitReference(text)).toEqual(parts);
});

test.each(['debian:', 'debian:a b', 'debian@sha256:00', 'debian@'])('%s is refused', (text) => {
  expect(() => splitReference(text)).toThrow(/is not a (?:tag|digest)/);
});

test.each([
  ['ghcr.io', true],
  ['localhost', true],
  ['host:5000', true],
  ['[::1]:5000', true],
  ['127.0.0.1', true],
  ['library', false],
  ['.a', false],
  ['a.', false],
  ['a:b', false],
])('%s names a registry: %s', (segment, expected) => {
  expect(isRegistrySegment(segment)).toBe(expected);
});
