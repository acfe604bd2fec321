import { expect, it, vi } from 'vitest';
import type { ContentIndex } from '../index/content-index.ts';
import { digestOf, type Digest } from '../oci/digest.ts';
import { Pinned } from './pinned.ts';

const [OLD, NEW, LAYER] = ['old', 'new', 'layer'].map((name) => digestOf(name)) as [Digest, Digest, Digest];

it('what a pinned tag refers to is looked up once, and again only where the tag has moved', async () => {
  let tagged = OLD;
  const closure = vi.fn<ContentIndex['closure']>(async (digest) => [digest, LAYER]);
  const pinned = new Pinned({
    closure,
    pins: async ({ after }) =>
      after === undefined
        ? [{ name: tagged, pin: { kind: 'digest', digest: tagged }, digest: tagged, pinnedAt: 0 }]
        : [],
  });
  for (const digest of [OLD, OLD, NEW, NEW]) {
    tagged = digest;
    await pinned.read();
    expect([OLD, NEW, LAYER].filter((each) => pinned.has(each))).toEqual([digest, LAYER]);
  }
  expect(closure.mock.calls).toEqual([[OLD], [NEW]]);
});
