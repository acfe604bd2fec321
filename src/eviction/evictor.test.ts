import { expect, it } from 'vitest';
import { startEviction, type EvictionFixtureOptions } from '../../test/support/eviction-fixture.ts';
import { StoreError } from '../store/error.ts';

const failing = (operation: 'delete' | 'quarantined'): Pick<EvictionFixtureOptions, 'wrapStore'> => ({
  wrapStore: (store) => ({
    ...store,
    [operation]: () => Promise.reject(new StoreError('ask the disk', { code: 'EIO' })),
  }),
});

it('what was set aside counts for nothing where it cannot be told', async () => {
  await using cache = await startEviction({ maxSize: 1000, ...failing('quarantined') });
  await cache.put('a', 980);
  await cache.evictor.idle();
  expect(await cache.stored()).toEqual(['a']);
  cache.clock.advance(1_000);
  await cache.put('b', 1);
  await cache.evictor.idle();
  expect(await cache.stored()).toEqual(['b']);
});

it('after an eviction that was enough, nothing is waited for but the next regular look', async () => {
  await using cache = await startEviction({ maxSize: 1000 });
  await cache.put('a', 900);
  cache.clock.advance(1_000);
  await cache.put('b', 100);
  await cache.evictor.idle();
  expect(await cache.stored()).toEqual(['b']);
  expect(cache.clock.pending).toBe(1);
});

it('the end of a rest is not waited for where nothing has to go any more', async () => {
  await using cache = await startEviction({ maxSize: 1000, ...failing('delete') });
  await cache.put('a', 900);
  await cache.evictor.idle();
  const ingest = await cache.begin('b', 100);
  await cache.evictor.idle();
  expect(cache.told('eviction-ended')).toMatchObject([{ blobs: 0, failed: 1 }]);
  await ingest.abort(new Error('enough'));
  cache.evictor.wake();
  await cache.evictor.idle();
  expect(cache.clock.pending).toBe(1);
});
