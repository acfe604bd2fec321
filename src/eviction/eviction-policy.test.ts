import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoredUse } from '../index/blob-index.ts';
import { evictionRank, TIER_MS } from '../index/eviction-rank.ts';
import { digestOf } from '../oci/digest.ts';
import { chooseEvictions, isUnused, type EvictionDemand } from './eviction-policy.ts';

function stored(name: string, size = 10, usedAt = 1, tier = 0): StoredUse {
  return { digest: digestOf(name), size, usedAt, tier };
}

const [a, b, c, d] = [stored('a', 10, 1), stored('b', 20, 2), stored('c', 30, 3), stored('d', 40, 4)];
const PAGE = [a, b, c, d];

function demand(missing: number, rest: Partial<EvictionDemand> = {}): EvictionDemand {
  return { missing, unusedBefore: undefined, isPinned: () => false, isHeld: () => false, ...rest };
}

describe('evictions are chosen', () => {
  it.each([
    ['nothing, if nothing is missing', demand(0), [], true],
    ['the first, if it is enough', demand(10), [a], true],
    ['one more, if the first is not quite enough', demand(11), [a, b], true],
    ['all, if they are just enough', demand(100), PAGE, false],
    ['all, if they are not enough', demand(1000), PAGE, false],
    ['unused blobs, though nothing is missing', demand(0, { unusedBefore: 3 }), [a, b], true],
    ['unused blobs, and more for the missing bytes', demand(31, { unusedBefore: 3 }), [a, b, c], true],
    ['no held blobs', demand(10, { isHeld: (digest) => digest === a.digest }), [b], true],
    ['no pinned blobs', demand(40, { isPinned: (digest) => digest === b.digest }), [a, c], true],
    ['nothing, if everything is held', demand(10, { isHeld: () => true }), [], false],
  ])('%s', (_, demand, evict, isEnough) => {
    expect(chooseEvictions(PAGE, demand)).toMatchObject({ evict, isEnough });
  });

  it('and the choice tells what was passed over', () => {
    const choice = chooseEvictions(
      PAGE,
      demand(30, {
        isHeld: (digest) => digest === a.digest || digest === b.digest,
        isPinned: (digest) => digest === b.digest || digest === c.digest,
      }),
    );
    expect(choice).toEqual({ evict: [d], pinned: [c], held: 2, last: d, isEnough: false });
  });

  it('from an empty page', () => {
    expect(chooseEvictions([], demand(10))).toMatchObject({ evict: [], last: undefined, isEnough: false });
  });

  it('in the order of the page, and no more than needed', () => {
    const entry = fc.record({ size: fc.nat(100), usedAt: fc.nat(50), tier: fc.nat(2), exempt: fc.nat(3) });
    const property = fc.property(
      fc.array(entry, { maxLength: 20 }),
      fc.nat(600),
      fc.option(fc.nat(60), { nil: undefined }),
      (entries, missing, unusedBefore) => {
        const page = entries
          .map(({ size, usedAt, tier }, i) => stored(`${i}`, size, usedAt, tier))
          .sort((x, y) => evictionRank(x) - evictionRank(y));
        const exempt = new Set(page.filter((_, i) => entries[i]?.exempt === 0).map(({ digest }) => digest));
        const isHeld = (digest: StoredUse['digest']): boolean => exempt.has(digest);
        const { evict, last, isEnough } = chooseEvictions(page, demand(missing, { unusedBefore, isHeld }));
        const seen = last === undefined ? 0 : page.indexOf(last) + 1;
        const removable = page.filter(({ digest }) => !exempt.has(digest));
        expect(evict).toEqual(removable.slice(0, evict.length));
        expect(page.slice(0, seen).filter(({ digest }) => !exempt.has(digest))).toEqual(evict);
        const bytes = evict.reduce((sum, { size }) => sum + size, 0);
        const needed = evict.filter((entry) => !isUnused(entry, { unusedBefore }));
        // If the last blob that went only because bytes were missing had stayed, the choice would not be enough.
        expect(needed.length === 0 || bytes - (needed.at(-1)?.size ?? 0) < missing).toBe(true);
        expect(isEnough ? bytes >= missing : seen === page.length).toBe(true);
      },
    );
    fc.assert(property);
  });
});

describe('content is unused', () => {
  it.each([
    [stored('blob', 1, 99, 0), true],
    [stored('blob', 1, 100, 0), false],
    [stored('manifest', 1, 99, 1), false],
    [stored('manifest', 1, 99 - TIER_MS, 1), true],
    [stored('index', 1, 99 - TIER_MS, 2), false],
  ])('%o', (entry, expected) => {
    expect(isUnused(entry, { unusedBefore: 100 })).toBe(expected);
    expect(isUnused(entry, { unusedBefore: undefined })).toBe(false);
  });
});
