import { expect, it, vi } from 'vitest';
import {
  EvictionFixture,
  startEviction,
  type EvictionFixtureOptions,
} from '../../test/support/eviction-fixture.ts';
import { openSqliteIndex } from '../index/sqlite/sqlite-index.ts';
import { quarantineOf } from '../store/capabilities.ts';
import type { BlobReader } from '../store/blob-store.ts';
import { StoreError } from '../store/error.ts';

const fail = (): Promise<never> => Promise.reject(new StoreError('ask the disk', { code: 'EIO' }));

const failing = (operation: 'delete' | 'stats'): Pick<EvictionFixtureOptions, 'wrapStore'> => ({
  wrapStore: (store) =>
    operation === 'delete'
      ? { ...store, delete: fail }
      : { ...store, quarantine: { ...quarantineOf(store), stats: fail } },
});

it('the quarantine counts as empty if its size cannot be read', async () => {
  await using cache = await startEviction({ maxSize: 1000, ...failing('stats') });
  await cache.put('a', 980);
  await cache.evictor.idle();
  expect(await cache.stored()).toEqual(['a']);
  cache.clock.advance(1_000);
  await cache.put('b', 1);
  await cache.evictor.idle();
  expect(await cache.stored()).toEqual(['b']);
});

it('an eviction that frees enough waits only for the next regular look', async () => {
  await using cache = await startEviction({ maxSize: 1000 });
  await cache.put('a', 900);
  cache.clock.advance(1_000);
  await cache.put('b', 100);
  await cache.evictor.idle();
  expect(await cache.stored()).toEqual(['b']);
  expect(cache.clock.pending).toBe(1);
});

it('a rest sets no timer once nothing has to go any more', async () => {
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

/**
 * A cache on a clock that stands at zero, with three blobs, whose evictor has not begun.
 * @param size bytes of each blob
 */
async function prepare(options: EvictionFixtureOptions, size = 100): Promise<EvictionFixture> {
  const cache = new EvictionFixture(await openSqliteIndex(':memory:'), { msPerReading: 0, ...options });
  for (const name of 'abc') {
    await cache.put(name, size);
    // The blobs are used one after the other: the clock is set forward, and does not run.
    cache.clock.jump(1_000);
  }
  return cache;
}

async function look(cache: EvictionFixture): Promise<string[]> {
  cache.evictor.wake();
  await cache.evictor.idle();
  return cache.stored();
}

it.each([
  ['nothing if all blobs fit', { maxSize: 1000, diskSize: 1e6 }, ['a', 'b', 'c']],
  ['the least recently used blob if they do not fit', { maxSize: 300, diskSize: 1e6 }, ['b', 'c']],
  [
    'the least recently used blob if it takes the single byte that must stay free',
    { minFree: 1, diskSize: 300 },
    ['b', 'c'],
  ],
])('the start evicts %s', async (_, options, expected) => {
  await using cache = await prepare(options);
  cache.evictor.start();
  await cache.evictor.idle();
  expect(await cache.stored()).toEqual(expected);
});

it('a fraction of a byte above the mark is enough for an eviction', async () => {
  await using cache = await prepare({ maxSize: 9 }, 3);
  expect(await look(cache)).toEqual(['b', 'c']);
});

it('a single byte that a fill found no room for is enough for an eviction', async () => {
  await using cache = await prepare({ diskSize: 300 });
  cache.evictor.makeRoom(1);
  expect(await look(cache)).toEqual(['b', 'c']);
});

it('a blob as large as the cap replaces all others while it is read', async () => {
  await using cache = await prepare({ maxSize: 1000 });
  cache.evictor.start();
  const ingest = await cache.begin('large', 1000);
  const follower = await ingest.follow();
  await cache.finish(ingest, 'large', 1000);
  expect(await look(cache)).toEqual(['large']);
  await follower.close();
});

it('a pinned blob larger than the cap counts like all others after the first look', async () => {
  await using cache = await prepare({ maxSize: 1000 });
  cache.evictor.start();
  const digest = cache.digest('giant', 1500);
  await cache.index.pin({ kind: 'digest', digest }, cache.clock.now());
  await cache.put('giant', 1500);
  await cache.evictor.idle();
  expect(await look(cache)).toEqual(['giant']);
});

it('a blob larger than the cap that is opened at the last moment goes later, and nothing else goes for it', async () => {
  let isGiantThere = false;
  let opening: Promise<unknown> | undefined;
  await using cache: EvictionFixture = await prepare({
    maxSize: 1000,
    wrapIndex: (index) => ({
      ...index,
      async touch(uses) {
        opening ??= isGiantThere ? cache.store.open(cache.digest('giant', 1500)) : undefined;
        await opening;
        await index.touch(uses);
      },
    }),
  });
  cache.evictor.start();
  await cache.put('giant', 1500);
  isGiantThere = true;
  expect(await look(cache)).toEqual(['a', 'b', 'c', 'giant']);
  await ((await opening) as BlobReader).close();
  expect(await look(cache)).toEqual(['a', 'b', 'c']);
});

it('a committed blob counts at once, even if its size was unknown before', async () => {
  await using cache = await prepare({ maxSize: 400 });
  cache.evictor.start();
  await cache.evictor.idle();
  const ingest = await cache.store.ingest({ digest: cache.digest('d', 100) });
  await cache.evictor.idle();
  await cache.finish(ingest, 'd', 100);
  await cache.evictor.idle();
  expect(await cache.stored()).toEqual(['b', 'c', 'd']);
});

it('the disk’s free space is trusted at once after an eviction for the cap', async () => {
  await using cache = await prepare({ maxSize: 300, minFree: 1000, diskSize: 3000 });
  expect(await look(cache)).toEqual(['b', 'c']);
  cache.others = 1850;
  expect(await look(cache)).toEqual(['c']);
});

it('the disk’s free space is trusted five seconds after an eviction for free space', async () => {
  await using cache = await prepare({ minFree: 1000 });
  cache.freeBytes = () => 950;
  const seen = [await look(cache)];
  for (const ms of [4_999, 1]) {
    cache.clock.advance(ms);
    seen.push(await look(cache));
  }
  expect(seen).toEqual([['b', 'c'], ['b', 'c'], ['c']]);
});

it('bytes that a fill has written are not free, even while the disk may not show deletions yet', async () => {
  await using cache = await prepare({ minFree: 1000 });
  let written = 0;
  cache.freeBytes = () => 950 - written;
  expect(await look(cache)).toEqual(['b', 'c']);
  const ingest = await cache.begin('large', 200);
  await ingest.write([Buffer.alloc(200)]);
  written = 200;
  expect(await look(cache)).toEqual([]);
  await ingest.abort(new Error('enough'));
});

it.each([
  ['nothing is stored', ''],
  ['everything stored is used', 'ab'],
])('a look for unused blobs asks once, and evicts nothing, if %s', async (_, names) => {
  await using cache = new EvictionFixture(await openSqliteIndex(':memory:'), { unusedForMs: 60_000 });
  for (const name of names) await cache.put(name, 100);
  const leastUsed = vi.spyOn(cache.index, 'leastUsed');
  await look(cache);
  expect(leastUsed).toHaveBeenCalledTimes(1);
  expect(cache.told('store-failed')).toEqual([]);
});

it('a look that finds nothing missing any more emits no event', async () => {
  await using cache = await prepare({ minFree: 1000 });
  const free = [900, 1000];
  cache.freeBytes = () => free.shift() ?? 1000;
  expect(await look(cache)).toEqual(['a', 'b', 'c']);
  expect([free, cache.told('eviction-ended')]).toEqual([[], []]);
});

it('free space is not asked for if no mark limits it', async () => {
  await using cache = await prepare({ maxSize: 300 });
  const freeBytes = vi.fn<() => number>();
  cache.freeBytes = freeBytes;
  expect(await look(cache)).toEqual(['b', 'c']);
  expect(freeBytes).not.toHaveBeenCalled();
});

it('the event tells how long an eviction took, and an eviction that frees enough is followed by no rest', async () => {
  await using cache: EvictionFixture = await prepare({
    maxSize: 300,
    wrapIndex: (index) => ({
      ...index,
      // Called at the beginning of an eviction, and at its end.
      async touch(uses) {
        cache.clock.advance(500);
        await index.touch(uses);
      },
    }),
  });
  cache.clock.advance(1_000);
  await look(cache);
  expect(cache.told('eviction-ended')).toMatchObject([{ blobs: 1, durationMs: 1_000 }]);
  await cache.put('d', 100);
  expect(await look(cache)).toEqual(['c', 'd']);
});

it('a closed evictor no longer listens to the store', async () => {
  await using cache = await prepare({ maxSize: 1000 });
  const unsubscribe = vi.fn<() => void>();
  vi.spyOn(cache.store, 'subscribe').mockReturnValue(unsubscribe);
  cache.evictor.start();
  await cache.evictor.close();
  expect(unsubscribe).toHaveBeenCalledOnce();
});
