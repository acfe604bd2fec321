import { expect, it } from 'vitest';
import { parseTag, type Tag } from '../../oci/tag.ts';
import { findNewerTag, isVersionTag } from './newer-tag.ts';

const TAGS: readonly Tag[] = [
  'latest',
  'edge',
  '3',
  '3.20',
  '3.20.1',
  '3.20.2',
  '3.21.0',
  'v3.21.0',
  '4',
  '4.0',
  '4.0.0-rc.1',
  '4.0.0-rc.2',
  '3.20.1-slim',
  '3.20.9-slim',
  '9.9.9-alpine3.20',
  '20240110',
  '20240210',
  '1.2.3-r4',
  '1.2.3-r12',
  'sha-0123456',
].map(parseTag);

it.each([
  ['3.20.1', '3.21.0'],
  ['v3.20.1', '3.21.0'],
  ['3.21.0', undefined],
  ['v3.21.0', undefined],
  ['3.20', '4.0'],
  ['3', '4'],
  ['4', undefined],
  ['3.20.1-slim', '3.20.9-slim'],
  ['3.20.9-slim', undefined],
  ['4.0.0-rc.1', '4.0.0-rc.2'],
  ['20240110', '20240210'],
  ['1.2.3-r4', '1.2.3-r12'],
  ['9.9.9', undefined],
  ['latest', undefined],
  ['sha-0123456', undefined],
])('newer than %s is %s', (tag, newer) => {
  expect(findNewerTag(parseTag(tag), TAGS)).toBe(newer);
});

it.each([
  ['3.20', true],
  ['v1', true],
  ['latest', false],
  ['bookworm-slim', false],
])('%s is a version: %s', (tag, isVersion) => {
  expect(isVersionTag(parseTag(tag))).toBe(isVersion);
});
