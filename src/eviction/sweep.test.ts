import { describe, expect, it } from 'vitest';
import { EvictionFixture, type EvictionFixtureOptions } from '../../test/support/eviction-fixture.ts';
import { openSqliteIndex } from '../index/sqlite/sqlite-index.ts';
import { StoreError } from '../store/error.ts';
import { sweep, type SweepStats } from './sweep.ts';

/** What a sweep needs, with an evictor that does not run. */
async function open(options: EvictionFixtureOptions = {}): Promise<EvictionFixture> {
  return new EvictionFixture(await openSqliteIndex(':memory:'), options);
}

/** @param bytes that have to go */
function sweepFor(bytes: number, { options }: EvictionFixture): Promise<SweepStats> {
  return sweep({
    ...options,
    missing: async (evicted) => bytes - evicted,
    unusedBefore: undefined,
    misfits: [],
    signal: new AbortController().signal,
  });
}

describe.each(['dropQuarantined', 'delete'] as const)('an error of the store’s %s', (operation) => {
  const openFailing = async (error: Error): Promise<EvictionFixture> => {
    const cache = await open({
      wrapStore: (store) => ({
        ...store,
        [operation]: async () => {
          throw error;
        },
      }),
    });
    await cache.put('a', 100);
    return cache;
  };

  it('is told where it is the disk’s', async () => {
    const error = new StoreError('delete', { code: 'EIO' });
    await using cache = await openFailing(error);
    expect((await sweepFor(100, cache)).error).toBe(error);
  });

  it('does not come up where nothing has to go', async () => {
    await using cache = await openFailing(new StoreError('delete', { code: 'EIO' }));
    expect((await sweepFor(0, cache)).error).toBeUndefined();
    expect(await cache.stored()).toEqual(['a']);
  });

  it('ends the sweep where it is a mistake of the program', async () => {
    const error = new TypeError('not a function');
    await using cache = await openFailing(error);
    await expect(sweepFor(100, cache)).rejects.toBe(error);
  });
});

it('what has a row and no bytes goes, and is not counted', async () => {
  await using cache = await open();
  await cache.store.delete(await cache.put('a', 100));
  cache.clock.advance(1_000);
  await cache.put('b', 100);
  expect(await sweepFor(100, cache)).toMatchObject({ blobs: 1, bytes: 100, missing: 0 });
  expect(await cache.stored()).toEqual([]);
});
