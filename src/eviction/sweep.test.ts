import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { EvictionFixture, type EvictionFixtureOptions } from '../../test/support/eviction-fixture.ts';
import type { ContentIndex } from '../index/content-index.ts';
import { IndexError } from '../index/error.ts';
import { openSqliteIndex } from '../index/sqlite/sqlite-index.ts';
import { quarantineOf } from '../store/capabilities.ts';
import type { Digest } from '../oci/digest.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { StoreError } from '../store/error.ts';
import { sweep, type SweepOptions, type SweepStats } from './sweep.ts';

/** Opens all that a sweep needs, with an evictor that does not run. */
async function open(options: EvictionFixtureOptions = {}): Promise<EvictionFixture> {
  return new EvictionFixture(await openSqliteIndex(':memory:'), options);
}

/** @param bytes how many have to go */
function sweepFor(
  bytes: number,
  { options }: EvictionFixture,
  rest: Partial<SweepOptions> = {},
): Promise<SweepStats> {
  return sweep({
    ...options,
    missing: async (evicted) => bytes - evicted,
    unusedBefore: undefined,
    oversized: [],
    signal: new AbortController().signal,
    ...rest,
  });
}

/** Stores blobs of ten bytes, one after the other. @returns their digests, in the order of eviction */
async function putMany(cache: EvictionFixture, count: number): Promise<Digest[]> {
  const digests: Digest[] = [];
  for (let number = 0; number < count; number++) {
    digests.push(await cache.put(`${number} of many`, 10));
    cache.clock.advance(1_000);
  }
  return digests;
}

/** Replaces the store's `delete`; the new one gets the original. */
function deleting(
  delete_: (digest: Digest, original: BlobStore['delete']) => Promise<boolean>,
): Pick<EvictionFixtureOptions, 'wrapStore'> {
  return {
    wrapStore: (store) => ({ ...store, delete: (digest) => delete_(digest, (it) => store.delete(it)) }),
  };
}

/** Replaces some methods of the index. */
function answering(
  answers: (index: ContentIndex) => Partial<ContentIndex>,
): Pick<EvictionFixtureOptions, 'wrapIndex'> {
  return { wrapIndex: (index) => ({ ...index, ...answers(index) }) };
}

describe.each(['quarantine', 'delete'] as const)('an error of the store’s %s', (operation) => {
  const openFailing = async (error: Error): Promise<EvictionFixture> => {
    const fail = async (): Promise<never> => {
      throw error;
    };
    const cache = await open({
      wrapStore: (store) =>
        operation === 'delete'
          ? { ...store, delete: fail }
          : { ...store, quarantine: { ...quarantineOf(store), drop: fail } },
    });
    await cache.put('a', 100);
    return cache;
  };

  it('is reported if it is the disk’s', async () => {
    const error = new StoreError('delete', { code: 'EIO' });
    await using cache = await openFailing(error);
    expect((await sweepFor(100, cache)).error).toBe(error);
  });

  it('does not occur if nothing has to go', async () => {
    await using cache = await openFailing(new StoreError('delete', { code: 'EIO' }));
    expect((await sweepFor(0, cache)).error).toBeUndefined();
    expect(await cache.stored()).toEqual(['a']);
  });

  it('ends the sweep if it is a mistake of the program', async () => {
    const error = new TypeError('not a function');
    await using cache = await openFailing(error);
    await expect(sweepFor(100, cache)).rejects.toBe(error);
  });
});

it('a row without bytes goes, and its bytes do not count as freed', async () => {
  await using cache = await open();
  await cache.store.delete(await cache.put('a', 100));
  cache.clock.advance(1_000);
  await cache.put('b', 100);
  expect(await sweepFor(100, cache)).toMatchObject({ blobs: 1, bytes: 100, missing: 0 });
  expect(await cache.stored()).toEqual([]);
});

it('exactly the missing bytes go, those in quarantine first', async () => {
  await using cache = await open();
  for (const size of [99, 100, 1]) {
    const digest = await cache.put('aside', size);
    await quarantineOf(cache.store).setAside(digest);
    await cache.index.deleteBlob(digest);
  }
  await sweepFor(100, cache);
  expect(await quarantineOf(cache.store).stats()).toMatchObject({ blobs: 1, bytes: 1 });
  await sweepFor(1, cache);
  expect(await quarantineOf(cache.store).stats()).toMatchObject({ blobs: 0 });
  await cache.put('a', 99);
  cache.clock.advance(1_000);
  await cache.put('b', 1);
  expect(await sweepFor(100, cache)).toMatchObject({ blobs: 2, bytes: 100, missing: 0 });
});

it('exactly the missing bytes go, even if the quarantine cannot be deleted from', async () => {
  const drop = (): Promise<never> => Promise.reject(new StoreError('delete', { code: 'EIO' }));
  await using cache = await open({
    wrapStore: (store) => ({ ...store, quarantine: { ...quarantineOf(store), drop } }),
  });
  await cache.put('a', 99);
  cache.clock.advance(1_000);
  await cache.put('b', 1);
  expect(await sweepFor(100, cache)).toMatchObject({ blobs: 2, bytes: 100 });
});

it('oversized blobs have gone before the sweep asks what else has to go', async () => {
  await using cache = await open(
    deleting(async (digest, original) => {
      await nextTurn();
      return original(digest);
    }),
  );
  await cache.put('a', 100);
  const digest = await cache.put('giant', 500);
  await sweepFor(500, cache, { oversized: [{ digest, size: 500 }] });
  expect(await cache.stored()).toEqual(['a']);
});

it('nothing goes if the uses cannot be written down', async () => {
  await using cache = await open();
  await cache.put('a', 100);
  const error = new IndexError('busy', 'SQLITE_BUSY');
  await expect(sweepFor(100, cache, { flushUses: () => Promise.reject(error) })).rejects.toBe(error);
  expect(await cache.stored()).toEqual(['a']);
});

it('uses in the future are settled until there are none', async () => {
  const settleUses = vi.fn<ContentIndex['settleUses']>().mockResolvedValueOnce(1).mockResolvedValueOnce(1);
  await using cache = await open(answering(() => ({ settleUses: settleUses.mockResolvedValue(0) })));
  await sweepFor(100, cache);
  expect(settleUses).toHaveBeenCalledTimes(3);
});

it('the stats tell how long each step took', async () => {
  await using cache = await open();
  cache.clock.advance(1_000);
  const { steps } = await sweepFor(100, cache, { flushUses: async () => cache.clock.advance(500) });
  expect(steps).toMatchObject({ writeDownUses: 500, evictLeastUsed: 0 });
});

it('each batch emits at once what has gone', async () => {
  await using cache = await open();
  await putMany(cache, 150);
  await sweepFor(1_500, cache);
  expect(cache.told('evicted')).toMatchObject([
    { blobs: 100, bytes: 1_000 },
    { blobs: 50, bytes: 500 },
  ]);
});

describe('a leased blob', () => {
  it('stays, even one larger than the cap, until the lease has ended', async () => {
    await using cache = await open({ msPerReading: 0 });
    const digest = await cache.put('a', 100);
    cache.clock.advance(1_000);
    await cache.put('b', 100);
    await cache.index.lease([digest], 0, cache.clock.now() + 1_000);
    const oversized = [{ digest, size: 100 }];
    expect(await sweepFor(200, cache, { oversized })).toMatchObject({ blobs: 1, pinned: 1, missing: 100 });
    expect(await cache.stored()).toEqual(['a']);
    cache.clock.advance(1_000);
    expect(await sweepFor(100, cache)).toMatchObject({ blobs: 1, pinned: 0, missing: 0 });
  });

  it('stays, if the lease begins while a sweep is about to evict it', async () => {
    await using cache: EvictionFixture = await open(
      answering((index) => ({
        async leasedOf(digests, now) {
          const leased = await index.leasedOf(digests, now);
          if (digests.length > 0) await index.lease(digests, cache.clock.now() + 1, now + 1_000);
          return leased;
        },
      })),
    );
    await cache.put('a', 100);
    expect(await sweepFor(100, cache)).toMatchObject({ blobs: 0, held: 1 });
  });
});

describe('a pinned blob', () => {
  it('counts as used once a sweep has passed over it, unless the sweep is ended', async () => {
    await using cache = await open();
    const digest = await cache.put('a', 100);
    await cache.index.pin({ kind: 'digest', digest }, cache.clock.now());
    const usedAt = async (): Promise<number | undefined> => (await cache.index.blob(digest))?.usedAt;
    const putAt = await usedAt();
    cache.clock.advance(1_000);
    await cache.put('b', 100);
    const abort = new AbortController();
    const missing = async (evicted: number): Promise<number> => {
      if (evicted > 0) abort.abort();
      return 200 - evicted;
    };
    expect(await sweepFor(0, cache, { missing, signal: abort.signal })).toMatchObject({ pinned: 1 });
    expect(await usedAt()).toBe(putAt);
    expect(await sweepFor(100, cache)).toMatchObject({ pinned: 1 });
    expect(await usedAt()).toBe(cache.clock.now());
  });

  it('does not keep the sweep from ending, though it is used again and again', async () => {
    await using cache: EvictionFixture = await open(
      answering((index) => ({
        async leastUsed(page) {
          const found = await index.leastUsed(page);
          cache.clock.advance(1);
          await index.touch(new Map(found.map(({ digest }) => [digest, cache.clock.now()])));
          return found;
        },
      })),
    );
    const digests = await putMany(cache, 150);
    for (const digest of digests) await cache.index.pin({ kind: 'digest', digest }, 0);
    expect(await sweepFor(100, cache)).toMatchObject({ pinned: 150, missing: 100 });
  });
});

it('a blob that is opened after it was chosen is passed over, and counted once', async () => {
  await using cache: EvictionFixture = await open(
    answering((index) => ({
      async blob(digest) {
        reader ??= await cache.store.open(digest);
        return index.blob(digest);
      },
    })),
  );
  let reader: Awaited<ReturnType<EvictionFixture['store']['open']>>;
  await cache.put('a', 100);
  expect(await sweepFor(100, cache)).toMatchObject({ blobs: 0, held: 1, missing: 100 });
  await reader?.close();
});

describe('the sweep ends', () => {
  /** Counts how often the index was asked for the least recently used blobs. */
  const counting = () => {
    const pages = vi.fn<() => void>();
    const options = answering((index) => ({
      leastUsed(page) {
        pages();
        return index.leastUsed(page);
      },
    }));
    return { pages, options };
  };

  it('with the tenth blob that cannot be deleted', async () => {
    const broken = new Set<Digest>();
    const { pages, options } = counting();
    await using cache = await open({
      ...options,
      ...deleting(async (digest, original) => {
        if (broken.has(digest)) throw new StoreError('delete', { code: 'EIO' });
        return original(digest);
      }),
    });
    for (const digest of (await putMany(cache, 150)).slice(0, 10)) broken.add(digest);
    const { blobs, failed } = await sweepFor(1_500, cache);
    expect(failed).toBe(10);
    // At most the deletions that were already running beside the failed ones succeed.
    expect(blobs).toBeLessThanOrEqual(6);
    expect(pages).toHaveBeenCalledTimes(1);
  });

  it('with the batch that is running when the cache is closed', async () => {
    const abort = new AbortController();
    const { pages, options } = counting();
    await using cache = await open({
      ...options,
      ...deleting((digest, original) => {
        abort.abort();
        return original(digest);
      }),
    });
    await putMany(cache, 150);
    await sweepFor(1_500, cache, { signal: abort.signal });
    expect(pages).toHaveBeenCalledTimes(1);
  });

  it.each(['deleteBlob', 'putBlob'] as const)('with an error of the index’s %s', async (operation) => {
    const error = new IndexError('busy', 'SQLITE_BUSY');
    await using cache: EvictionFixture = await open(
      deleting(async (digest, original) => {
        const wasThere = await original(digest);
        if (operation === 'putBlob') await cache.put('a', 100);
        vi.spyOn(cache.index, operation).mockRejectedValue(error);
        return wasThere;
      }),
    );
    await cache.put('a', 100);
    await expect(sweepFor(100, cache)).rejects.toBe(error);
  });
});

it('a finished sweep no longer listens to the store, and did not look for the blobs that went', async () => {
  await using cache = await open();
  const unsubscribe = vi.fn<() => void>();
  const subscribe = vi.spyOn(cache.store, 'subscribe').mockReturnValue(unsubscribe);
  const stat = vi.spyOn(cache.store, 'stat');
  await cache.put('a', 100);
  await sweepFor(100, cache);
  expect([subscribe, unsubscribe, stat].map(({ mock }) => mock.calls.length)).toEqual([1, 1, 0]);
});
