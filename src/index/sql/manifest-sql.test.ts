import { describe, expect, it } from 'vitest';
import { digest, manifest } from '../content.contract.ts';
import { IndexDamagedError } from '../error.ts';
import { digestToBytes } from './digest-bytes.ts';
import { toDescribedSize, toManifestEntry, toReferrer } from './manifest-sql.ts';

const { descriptor } = manifest('m');
const TEXT = JSON.stringify(descriptor);

describe('a manifest', () => {
  it.each([
    [null, undefined],
    [digestToBytes(digest('s')), digest('s')],
  ])('is read from its row: subject %j', (bytes, subject) => {
    expect(toManifestEntry({ descriptor: TEXT, subject: bytes })).toEqual({ descriptor, subject });
  });

  it.each([
    [null, descriptor.mediaType],
    ['application/vnd.test.other', 'application/vnd.test.other'],
  ])('that refers to another has the type that its upstream gave: %s', (media_type, mediaType) => {
    const row = { digest: digestToBytes(digest('m')), descriptor: TEXT, media_type };
    expect(toReferrer(row)).toEqual({ ...descriptor, mediaType });
  });

  it('whose descriptor is not JSON is damage', () => {
    expect(() => toManifestEntry({ descriptor: '{', subject: null })).toThrow(IndexDamagedError);
  });
});

describe('the described size', () => {
  it.each([
    ['the one that all give', { smallest: 7, largest: 7 }, 7],
    ['the one that all give, also nothing', { smallest: 0, largest: 0 }, 0],
    ['none where they disagree', { smallest: 1, largest: 7 }, undefined],
    ['none where there is no descriptor', { smallest: null, largest: null }, undefined],
    ['none where there is no row', undefined, undefined],
  ])('is %s', (_, row, size) => {
    expect(toDescribedSize(row)).toBe(size);
  });
});
