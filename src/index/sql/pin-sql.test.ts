import { describe, expect, it } from 'vitest';
import { DEBIAN, digest, LATEST } from '../content.contract.ts';
import { IndexDamagedError } from '../error.ts';
import type { Pin } from '../pin-index.ts';
import { digestToBytes } from './digest-bytes.ts';
import { nameOfPin, toPinEntry, type PinRows } from './pin-sql.ts';

const NOTHING = { digest: null, tag: null, registry: null, repository: null, tagged: null };

function row(columns: Partial<PinRows['pins']>): PinRows['pins'] {
  return { ...NOTHING, name: 'a pin', pinned_at: 7, ...columns };
}

const BY_DIGEST: Pin = { kind: 'digest', digest: digest('a') };
const BY_TAG: Pin = { kind: 'tag', key: DEBIAN, tag: LATEST };

describe('a pin', () => {
  it.each([
    ['of a digest', { digest: digestToBytes(digest('a')) }, { pin: BY_DIGEST, digest: digest('a') }],
    [
      'of a tag',
      { ...DEBIAN, tag: LATEST, tagged: digestToBytes(digest('b')) },
      { pin: BY_TAG, digest: digest('b') },
    ],
    ['of a tag that is not known', { ...DEBIAN, tag: LATEST }, { pin: BY_TAG, digest: undefined }],
  ])('%s is read from its row', (_, columns, pinned) => {
    expect(toPinEntry(row(columns))).toEqual({ name: 'a pin', pinnedAt: 7, ...pinned });
  });

  it.each([
    ['nothing', {}],
    ['a repository without a tag', DEBIAN],
    ['a tag of a repository that is not there', { tag: LATEST }],
  ])('of %s is damage', (_, columns) => {
    expect(() => toPinEntry(row(columns))).toThrow(IndexDamagedError);
  });

  it('is named by its digest or its tag', () => {
    expect([nameOfPin(BY_DIGEST), nameOfPin(BY_TAG)]).toEqual([
      digest('a'),
      'docker.io/library/debian:latest',
    ]);
  });
});
