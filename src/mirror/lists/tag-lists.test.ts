import { describe, expect, test } from 'vitest';
import { MemoryCache } from '../../../test/support/memory-cache.ts';
import { StubUpstream, targetOf } from '../../../test/support/stub-upstream.ts';
import type { ContentIndex } from '../../index/content-index.ts';
import { digestOf } from '../../oci/digest.ts';
import { parseTag } from '../../oci/tag.ts';
import { packTags, type TagNames } from '../../oci/tag-names.ts';
import { UpstreamError } from '../../upstream/error.ts';
import { listOutcome, TagLists } from './tag-lists.ts';

const AWAY = new UpstreamError('registry.test', 'unavailable', 'timeout', 'no answer');
const ABSENT = new UpstreamError('registry.test', 'absent', 'not-found', 'unknown', { isVerdict: true });
const BUG = new TypeError('a bug');
const MiB = 1024 * 1024;

async function start(index: Partial<ContentIndex> = {}) {
  const cache = await MemoryCache.open();
  const world = {
    asked: 0,
    tags: packTags(['a', 'b', 'c']),
    failure: undefined as Error | undefined,
  };
  const tags = async (): Promise<{ tags: TagNames; next: undefined }> => {
    world.asked += 1;
    if (world.failure !== undefined) throw world.failure;
    return { tags: world.tags, next: undefined };
  };
  const asked = targetOf({ ...new StubUpstream().upstream, tags });
  const target = { ...asked, tags: { ...asked.tags, ttlMs: 1_000 } };
  const { clock, events } = cache;
  const lists = new TagLists({ index: { ...cache.index, ...index }, clock, events });
  const list = (limit = 10, after?: string) => lists.list(target, { limit, after });
  return { cache, world, target, lists, list };
}

async function record(
  { cache, target }: Awaited<ReturnType<typeof start>>,
  ...tags: string[]
): Promise<void> {
  for (const tag of tags) {
    await cache.index.putTag(target.key, parseTag(tag), { digest: digestOf(tag), checkedAt: 1 });
  }
}

describe('a tag list', () => {
  test('is asked for once in its time to live, and again once it is forgotten', async () => {
    const { cache, world, lists, list } = await start();
    expect(await list(2)).toMatchObject({ entries: ['a', 'b'], hasMore: true, outcome: { hit: false } });
    expect(await list(2, 'b')).toMatchObject({ entries: ['c'], hasMore: false, outcome: { hit: true } });
    expect(world.asked).toBe(1);
    lists.forget();
    await list();
    expect(world.asked).toBe(2);
    await cache[Symbol.asyncDispose]();
  });

  test.each([
    ['is kept if all lists have room', 32 * MiB - 513, 1],
    ['is not kept if it is too large', 32 * MiB - 512, 2],
  ])('%s, in 32 MiB with its overhead', async (_, size, expected) => {
    const { cache, world, list } = await start();
    world.tags = { ...world.tags, bytes: new Uint8Array(size).subarray(0, 0) };
    for (let times = 0; times < 2; times += 1) await list();
    expect(world.asked).toBe(expected);
    await cache[Symbol.asyncDispose]();
  });

  test('that was known is given as stale if upstream fails', async () => {
    const { cache, world, list } = await start();
    await list();
    cache.clock.advance(5_000);
    world.failure = AWAY;
    expect(await list()).toEqual({
      entries: ['a', 'b', 'c'],
      hasMore: false,
      outcome: {
        hit: false,
        fwd: 'stale',
        detail: 'timeout',
        ageMs: 5_000,
        warning: 'the last list known, since registry.test: no answer',
      },
    });
    await cache[Symbol.asyncDispose]();
  });

  test.each([
    ['the registry refuses it', ABSENT],
    ['an error of ours keeps it away', BUG],
  ])('is not given, known or cached, if %s', async (_, failure) => {
    const world = await start();
    await record(world, 'a');
    await world.list();
    world.cache.clock.advance(5_000);
    world.world.failure = failure;
    await expect(world.list()).rejects.toBe(failure);
    world.lists.forget();
    await expect(world.list()).rejects.toBe(failure);
    await world.cache[Symbol.asyncDispose]();
  });
});

describe('if upstream fails, and no list is known', () => {
  test.each([
    ['the first ones', 2, undefined, ['a', 'b'], true],
    ['exactly all', 3, undefined, ['a', 'b', 'c'], false],
    ['those after one', 2, 'b', ['c'], false],
    ['none of them', 0, undefined, [], false],
    ['none after the last', 2, 'c', [], false],
  ])('cached tags are listed: %s', async (_, limit, after, entries, hasMore) => {
    const world = await start();
    await record(world, 'a', 'b', 'c');
    world.world.failure = AWAY;
    expect(await world.list(limit, after)).toEqual({
      entries,
      hasMore,
      outcome: {
        hit: false,
        fwd: 'stale',
        detail: 'timeout',
        warning: 'only the tags that are cached, since registry.test: no answer',
      },
    });
    await world.cache[Symbol.asyncDispose]();
  });

  test('the index is asked for one tag more than the page has', async () => {
    const limits: number[] = [];
    const tags: ContentIndex['tags'] = (_, { limit }) => {
      limits.push(limit);
      return Promise.resolve([parseTag('a')]);
    };
    const { cache, world, list } = await start({ tags });
    world.failure = AWAY;
    await list(2);
    expect(limits).toEqual([1, 3]);
    await cache[Symbol.asyncDispose]();
  });

  test.each([
    ['nothing of the repository is cached', () => Promise.resolve([])],
    ['the index fails too', () => Promise.reject(new Error('busy'))],
  ])('the failure is passed on if %s', async (_, tags) => {
    const { cache, world, list } = await start({ tags });
    world.failure = AWAY;
    await expect(list()).rejects.toBe(AWAY);
    await cache[Symbol.asyncDispose]();
  });

  test('an empty list is given if the index fails only when it is asked for the page', async () => {
    let isFirst = true;
    const tags: ContentIndex['tags'] = () => {
      if (!isFirst) return Promise.reject(new Error('busy'));
      isFirst = false;
      return Promise.resolve([parseTag('a')]);
    };
    const { cache, world, list } = await start({ tags });
    world.failure = AWAY;
    expect(await list()).toMatchObject({ entries: [], hasMore: false });
    await cache[Symbol.asyncDispose]();
  });
});

test.each([
  [{ source: 'memory', ageMs: 5 } as const, { hit: true, ageMs: 5 }],
  [{ source: 'upstream' } as const, { hit: false, fwd: 'uri-miss', collapsed: true }],
  [
    { source: 'stale', ageMs: 5, error: BUG } as const,
    {
      hit: false,
      fwd: 'stale',
      detail: 'error',
      ageMs: 5,
      warning: 'the last list known, since upstream failed',
    },
  ],
])('a list that was recalled so: %o', (recalled, outcome) => {
  expect(listOutcome({ value: [], collapsed: true, ...recalled })).toStrictEqual(outcome);
});
