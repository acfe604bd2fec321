import { expect, it, vi } from 'vitest';
import type { ContentIndex } from '../index/content-index.ts';
import { digestOf, type Digest } from '../oci/digest.ts';
import { Pinned } from './pinned.ts';

const [OLD, NEW, LAYER] = ['old', 'new', 'layer'].map((name) => digestOf(name)) as [Digest, Digest, Digest];

/** Returns pins of these digests, on one page. */
function onePage(...digests: readonly Digest[]): ContentIndex['pins'] {
  return async ({ after }) =>
    after === undefined
      ? digests.map((digest) => ({ name: digest, pin: { kind: 'digest', digest }, digest, pinnedAt: 0 }))
      : [];
}

it('the closure of a pinned tag is looked up once, and again only if the tag has moved', async () => {
  let tagged = OLD;
  const closure = vi.fn<ContentIndex['closure']>(async (digest) => [digest, LAYER]);
  const pinned = new Pinned({
    closure,
    pins: (page) => onePage(tagged)(page),
  });
  for (const digest of [OLD, OLD, NEW, NEW]) {
    tagged = digest;
    await pinned.read();
    expect([OLD, NEW, LAYER].filter((each) => pinned.has(each))).toEqual([digest, LAYER]);
  }
  expect(closure.mock.calls).toEqual([[OLD], [NEW]]);
});

it('a digest whose pin has ended is no longer exempt, and the others still are', async () => {
  let digests = [OLD, NEW];
  const pinned = new Pinned({
    closure: async (digest) => [digest],
    pins: (page) => onePage(...digests)(page),
  });
  const exempt = async (): Promise<Digest[]> => {
    await pinned.read();
    return [OLD, NEW].filter((each) => pinned.has(each));
  };
  expect(await exempt()).toEqual([OLD, NEW]);
  digests = [NEW];
  expect(await exempt()).toEqual([NEW]);
  digests = [NEW, OLD];
  expect(await exempt()).toEqual([OLD, NEW]);
});

it('a pin of an unknown tag exempts nothing, and a digest that is pinned twice is looked up once', async () => {
  const closure = vi.fn<ContentIndex['closure']>(async (digest) => [digest]);
  const pins: ContentIndex['pins'] = async (page) => {
    const [pin] = await onePage(OLD)(page);
    return pin === undefined ? [] : [{ ...pin, digest: undefined }, pin, pin];
  };
  await new Pinned({ closure, pins }).read();
  expect(closure.mock.calls).toEqual([[OLD]]);
});

it('each page of pins begins after the last pin of the page before, and everything else has its turn between two', async () => {
  using turns = countTurns();
  const asked: (readonly [string | undefined, number])[] = [];
  const pins: ContentIndex['pins'] = async ({ after }) => {
    asked.push([after, turns.count]);
    return onePage(OLD, NEW)({ after: after === NEW ? after : undefined, limit: 2 });
  };
  await new Pinned({ closure: async () => [], pins }).read();
  expect(asked).toEqual([
    [undefined, 0],
    [NEW, 1],
  ]);
});

/** Counts the turns of the event loop until it is disposed. */
function countTurns(): Disposable & { readonly count: number } {
  let count = 0;
  const next = (): void => {
    count += 1;
    immediate = setImmediate(next);
  };
  let immediate = setImmediate(next);
  return {
    get count() {
      return count;
    },
    [Symbol.dispose]: () => clearImmediate(immediate),
  };
}

it.each([
  ['999 digests are too few', [999, 1, 1], [0, 0, 1]],
  ['1000 are enough', [1000, 1, 1], [0, 1, 1]],
  ['and then it is counted anew', [1000, 999, 1, 1], [0, 1, 1, 2]],
])('everything else has its turn while digests are looked up: %s', async (_, sizes, expected) => {
  using turns = countTurns();
  const digests = sizes.map((size, position) => digestOf(`${position} refers to ${size}`));
  const lookedUp: number[] = [];
  const pinned = new Pinned({
    pins: onePage(...digests),
    closure: async (digest) => {
      lookedUp.push(turns.count);
      return Array.from({ length: sizes[digests.indexOf(digest)] ?? 0 }, () => digest);
    },
  });
  await pinned.read();
  expect(lookedUp).toEqual(expected);
});

it('closures that are already known do not count towards a turn', async () => {
  using turns = countTurns();
  const [large, small] = [digestOf('large'), digestOf('small')];
  let digests = [large];
  let lookedUp = 0;
  const pinned = new Pinned({
    pins: (page) => onePage(...digests)(page),
    closure: async (digest) => {
      lookedUp = turns.count;
      return Array.from({ length: digest === large ? 1000 : 999 }, () => digest);
    },
  });
  await pinned.read();
  digests = [large, large, small, NEW];
  const before = turns.count;
  await pinned.read();
  expect(lookedUp).toBe(before);
});
