import { describe, expect, test } from 'vitest';
import { Evictor } from '../../../src/eviction/evictor.ts';
import type { ContentIndex } from '../../../src/index/content-index.ts';
import { IndexError } from '../../../src/index/error.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { parseTag } from '../../../src/oci/tag.ts';
import type { BlobReader } from '../../../src/store/blob-store.ts';
import { quarantineOf } from '../../../src/store/capabilities.ts';
import { StoreError } from '../../../src/store/error.ts';
import {
  REPOSITORY,
  startEviction,
  type EvictionFixture,
  type EvictionFixtureOptions,
} from '../../support/eviction-fixture.ts';

const TAG = parseTag('latest');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Stores blobs a minute apart. */
async function putAll(cache: EvictionFixture, names: string, size: number): Promise<void> {
  for (const name of names) {
    cache.clock.advance(60_000);
    await cache.evictor.idle();
    await cache.put(name, size);
    await cache.evictor.idle();
  }
}

/** With an index that lets the test act while uses are written down. */
function whileUsesAreWritten(act: () => void): Pick<EvictionFixtureOptions, 'wrapIndex'> {
  return {
    wrapIndex: (index) => ({
      ...index,
      touch: async (uses) => {
        act();
        await index.touch(uses);
      },
    }),
  };
}

describe('the cap', () => {
  test('is kept by removing what was used least recently, down to a little below it', async () => {
    await using cache = await startEviction({ maxSize: 1000 });
    await putAll(cache, 'abcdefghi', 100);
    expect(await cache.stored()).toEqual(Array.from('abcdefghi'));
    await putAll(cache, 'j', 100);
    expect(await cache.stored()).toEqual(Array.from('bcdefghij'));
    expect(cache.told('evicted')).toEqual([{ kind: 'evicted', blobs: 1, bytes: 100 }]);
    expect(cache.evicted).toEqual([cache.digest('a', 100)]);
    expect(cache.told('eviction-ended')).toMatchObject([{ blobs: 1, bytes: 100, missing: 0 }]);
  });

  test('a use counts, also one that is only in memory yet', async () => {
    await using cache = await startEviction({ maxSize: 1000 });
    await putAll(cache, 'abcdefghi', 100);
    cache.uses.set(cache.digest('a', 100), cache.clock.now());
    await putAll(cache, 'jk', 100);
    expect(await cache.stored()).toEqual(Array.from('adefghijk'));
  });

  test('makes room as soon as a fill begins, and while it runs', async () => {
    await using cache = await startEviction({ maxSize: 1000 });
    await putAll(cache, 'abcdefghi', 100);
    const ingest = await cache.begin('x', 300);
    await cache.evictor.idle();
    expect(await cache.stored()).toEqual(Array.from('defghi'));
    await cache.finish(ingest, 'x', 300);
    await cache.evictor.idle();
    expect(await cache.stored()).toEqual([...Array.from('defghi'), 'x']);
  });

  test('of a fill that was given up takes nothing more', async () => {
    await using cache = await startEviction({ maxSize: 1000 });
    await putAll(cache, 'abcdefg', 100);
    const ingest = await cache.begin('x', 200);
    await ingest.abort(new Error('enough'));
    await putAll(cache, 'h', 100);
    expect(await cache.stored()).toEqual(Array.from('abcdefgh'));
  });

  test('is not made up for by what never fits: that goes as soon as nobody reads it', async () => {
    await using cache = await startEviction({ maxSize: 1000 });
    await putAll(cache, 'abc', 100);
    const ingest = await cache.begin('giant', 1500);
    const follower = await ingest.follow();
    await cache.finish(ingest, 'giant', 1500);
    await cache.evictor.idle();
    expect(await cache.stored()).toEqual(['a', 'b', 'c', 'giant']);
    await follower.close();
    cache.clock.advance(10_000);
    await cache.evictor.idle();
    expect(await cache.stored()).toEqual(['a', 'b', 'c']);
  });

  test('is not kept by what has a row and no bytes: that goes, and is not counted', async () => {
    await using cache = await startEviction({ maxSize: 1000 });
    await cache.index.putBlob({ digest: cache.digest('x', 100), size: 100 }, cache.clock.now());
    await putAll(cache, 'abcdefghij', 100);
    expect(await cache.stored()).toEqual(Array.from('bcdefghij'));
    expect(cache.evicted).toEqual([cache.digest('x', 100), cache.digest('a', 100)]);
    expect(cache.told('evicted')).toEqual([{ kind: 'evicted', blobs: 1, bytes: 100 }]);
  });

  test('holds at the start, too', async () => {
    await using cache = await startEviction({ maxSize: 1000 });
    await putAll(cache, 'abcdefghi', 100);
    await cache.evictor.close();
    const smaller = new Evictor({
      ...cache.options,
      marks: { maxSize: 500, minFree: 0, unusedForMs: undefined },
    });
    smaller.start();
    await smaller.idle();
    expect(await cache.stored()).toEqual(Array.from('fghi'));
    await smaller.close();
  });
});

describe('what is in use stays', () => {
  test('while it is read or followed', async () => {
    await using cache = await startEviction({ maxSize: 1000 });
    await putAll(cache, 'abcdefghi', 100);
    const reader = await cache.store.open(cache.digest('a', 100));
    await putAll(cache, 'jk', 100);
    expect(await cache.stored()).toEqual(Array.from('adefghijk'));
    await reader?.close();
    await putAll(cache, 'l', 100);
    expect(await cache.stored()).toEqual(Array.from('defghijkl'));
  });

  test('all of it, though the cap is passed; what could not go is told once', async () => {
    await using cache = await startEviction({ maxSize: 1000 });
    await putAll(cache, 'abcdefghi', 100);
    const readers = await Promise.all(
      Array.from('abcdefghijkl').map((name) => cache.store.open(cache.digest(name, 100))),
    );
    for (const name of 'jkl') {
      const ingest = await cache.begin(name, 100);
      readers.push(await ingest.follow());
      await cache.finish(ingest, name, 100);
      await cache.evictor.idle();
    }
    expect(await cache.stored()).toHaveLength(12);
    expect(cache.told('eviction-ended')).toMatchObject([{ blobs: 0, missing: 50 }]);
    for (const reader of readers) await reader?.close();
    cache.clock.advance(10_000);
    await cache.evictor.idle();
    expect(await cache.stored()).toEqual(Array.from('defghijkl'));
  });

  test('of a slow reader the bytes are right to the end, were they deleted all the same', async () => {
    await using cache = await startEviction({ maxSize: 1000 });
    await putAll(cache, 'a', 100);
    const reader = await cache.store.open(cache.digest('a', 100));
    await cache.store.delete(cache.digest('a', 100));
    const into = new Uint8Array(100);
    expect(await reader?.read(into, 0)).toBe(100);
    expect(Buffer.from(into).toString()).toBe('a'.repeat(100));
    await reader?.close();
    await cache.index.deleteBlob(cache.digest('a', 100));
  });
});

describe('what was set aside', () => {
  async function startWith(options: EvictionFixtureOptions): Promise<EvictionFixture> {
    const cache = await startEviction(options);
    for (const name of ['x', 'y']) {
      const digest = await cache.put(name, 100);
      await quarantineOf(cache.store).setAside(digest);
      await cache.index.deleteBlob(digest);
    }
    return cache;
  }

  test('counts within the cap, and goes before anything that is served', async () => {
    await using cache = await startWith({ maxSize: 1000 });
    await putAll(cache, 'abcdefg', 100);
    expect(await quarantineOf(cache.store).stats()).toMatchObject({ bytes: 200 });
    await putAll(cache, 'h', 100);
    expect(await quarantineOf(cache.store).stats()).toMatchObject({ bytes: 100 });
    await putAll(cache, 'i', 100);
    expect(await quarantineOf(cache.store).stats()).toMatchObject({ bytes: 0 });
    expect(await cache.stored()).toEqual(Array.from('abcdefghi'));
    await putAll(cache, 'j', 100);
    expect(await cache.stored()).toEqual(Array.from('bcdefghij'));
  });

  test('goes before anything else where the disk has too little free', async () => {
    await using cache = await startWith({ minFree: 1000, diskSize: 3000 });
    const all = cache.freeBytes;
    cache.freeBytes = async () => (await all()) - (await quarantineOf(cache.store).stats()).bytes;
    await putAll(cache, 'abcdefghij', 100);
    cache.others = 1000;
    cache.clock.advance(10_000);
    await cache.evictor.idle();
    expect(await quarantineOf(cache.store).stats()).toMatchObject({ bytes: 0 });
    expect(await cache.stored()).toEqual(Array.from('bcdefghij'));
  });

  test('makes room for a fill that the disk was too full for', async () => {
    await using cache = await startWith({ diskSize: 1000 });
    await putAll(cache, 'abcdefgh', 100);
    cache.freeBytes = () => 0;
    cache.evictor.makeRoom(150);
    await cache.evictor.idle();
    expect(await quarantineOf(cache.store).stats()).toMatchObject({ bytes: 0 });
    expect(await cache.stored()).toEqual(Array.from('abcdefgh'));
  });

  test('that cannot be deleted is passed over', async () => {
    await using cache = await startWith({
      maxSize: 1000,
      wrapStore: (store) => ({
        ...store,
        quarantine: {
          ...quarantineOf(store),
          drop: () => Promise.reject(new StoreError('delete', { code: 'EIO' })),
        },
      }),
    });
    await putAll(cache, 'abcdefgh', 100);
    expect(await cache.stored()).toEqual(Array.from('bcdefgh'));
  });
});

describe('images', () => {
  test('a manifest outlives its layers, and its use counts for them', async () => {
    await using cache = await startEviction({ maxSize: 1000 });
    const old = await cache.put('old layer', 100);
    const oldManifest = await cache.putManifest('old', 10, [old]);
    cache.clock.advance(60_000);
    const hot = await cache.put('hot layer', 100);
    const hotManifest = await cache.putManifest('hot', 10, [hot]);
    await cache.putManifest('index', 10, [hotManifest], 'manifest');
    cache.clock.advance(60_000);
    await putAll(cache, 'abcdefg', 100);
    cache.uses.set(cache.digest('index', 10), cache.clock.now());
    await putAll(cache, 'h', 100);
    expect(await cache.stored()).toEqual([...Array.from('abcdefgh'), 'hot', 'hot layer', 'index', 'old']);
    expect(await cache.index.edges(oldManifest)).toHaveLength(1);
  });

  test('an evicted manifest takes what is known of it along', async () => {
    await using cache = await startEviction({ maxSize: 1000, unusedForMs: DAY });
    const layer = await cache.put('layer', 100);
    const manifest = await cache.putManifest('manifest', 10, [layer]);
    await cache.index.putTag(REPOSITORY, TAG, { digest: manifest, checkedAt: cache.clock.now() });
    cache.clock.advance(DAY + 2 * HOUR);
    await cache.evictor.idle();
    expect(await cache.stored()).toEqual([]);
    expect(await cache.index.manifest(manifest)).toBeUndefined();
    expect(await cache.index.edges(manifest)).toEqual([]);
    expect(await cache.index.tag(REPOSITORY, TAG)).toMatchObject({ digest: manifest });
    expect(await cache.index.belongs(REPOSITORY, manifest)).toBe(true);
  });
});

describe('pins', () => {
  test('exempt a digest with all that it refers to, until they end', async () => {
    await using cache = await startEviction({ maxSize: 1000 });
    const manifest = await cache.putManifest('m', 10, [await cache.put('layer', 200)]);
    const pin = { kind: 'digest', digest: manifest } as const;
    await cache.index.pin(pin, cache.clock.now());
    for (let round = 0; round < 3; round += 1) {
      await putAll(cache, 'abcdefghij', 100);
      expect(await cache.stored()).toEqual(expect.arrayContaining(['layer', 'm']));
    }
    await cache.index.unpin(pin);
    cache.clock.advance(HOUR);
    await putAll(cache, 'klmnopqrst', 100);
    expect(await cache.stored()).not.toContain('layer');
  });

  test('of a tag exempt what it stands for at the time', async () => {
    await using cache = await startEviction({ maxSize: 1000 });
    const pin = { kind: 'tag', key: REPOSITORY, tag: TAG } as const;
    await cache.index.pin(pin, cache.clock.now());
    for (const name of ['first', 'second']) {
      const manifest = await cache.putManifest(name, 10, [await cache.put(`${name} layer`, 200)]);
      await cache.index.putTag(REPOSITORY, TAG, { digest: manifest, checkedAt: cache.clock.now() });
      await putAll(cache, 'abcdefghij', 100);
      expect(await cache.stored()).toEqual(expect.arrayContaining([name, `${name} layer`]));
    }
    expect(await cache.stored()).not.toContain('first layer');
  });

  test('that fill the cap leave room for nothing else, and that is told once', async () => {
    // By a clock that moves it would rest after a sweep in vain.
    await using cache = await startEviction({ maxSize: 1000, msPerReading: 0 });
    for (const name of 'abcdefghij') {
      await cache.index.pin({ kind: 'digest', digest: await cache.put(name, 100) }, cache.clock.now());
    }
    await putAll(cache, 'xyz', 100);
    expect(await cache.stored()).toEqual(Array.from('abcdefghij'));
    expect(cache.told('eviction-ended').filter(({ blobs }) => blobs === 0)).toHaveLength(1);
  });
});

/** Pins many blobs that together pass the cap, on a clock that moves while code runs. */
async function startPinned(
  count: number,
  wrapIndex: (index: ContentIndex) => ContentIndex = (index) => index,
): Promise<EvictionFixture> {
  const cache = await startEviction({ maxSize: 10 * count, msPerReading: 1, wrapIndex });
  for (let number = 0; number < count; number++) {
    const digest = await cache.put(`pinned ${number}`, 10);
    await cache.index.pin({ kind: 'digest', digest }, cache.clock.now());
  }
  return cache;
}

/** Calls `at` as the sweep reads its first page. */
function atFirstPage(at: (index: ContentIndex) => Promise<void>): (index: ContentIndex) => ContentIndex {
  let isFirst = true;
  return (index) => ({
    ...index,
    async leastUsed(page) {
      const found = await index.leastUsed(page);
      if (isFirst && page.limit > 1) {
        isFirst = false;
        await at(index);
      }
      return found;
    },
  });
}

describe('while a sweep runs', () => {
  test('it ends though pins pass the cap, and looks at each once', async () => {
    await using cache = await startPinned(350);
    await cache.evictor.idle();
    expect(cache.told('eviction-ended')).toMatchObject([{ blobs: 0, pinned: 350, held: 0, missing: 175 }]);
    expect(await cache.stored()).toHaveLength(350);
  });

  test('it ends though all that there is is in use and used again and again', async () => {
    const names = Array.from({ length: 350 }, (_, number) => `used ${number}`);
    await using cache: EvictionFixture = await startEviction({
      maxSize: 3500,
      msPerReading: 1,
      wrapIndex: (index) => ({
        ...index,
        async leastUsed(page) {
          const found = await index.leastUsed(page);
          await index.touch(new Map(found.map(({ digest }) => [digest, cache.clock.now()])));
          return found;
        },
      }),
    });
    const readers = [];
    for (const name of names) {
      const ingest = await cache.begin(name, 10);
      readers.push(await ingest.follow());
      await cache.finish(ingest, name, 10);
    }
    await cache.evictor.idle();
    expect(await cache.stored()).toHaveLength(350);
    for (const reader of readers) await reader.close();
  });

  test('what is pinned stays, and what is unpinned may go', async () => {
    const nameOf = (number: number): string => `pinned ${number}`;
    await using cache: EvictionFixture = await startPinned(
      350,
      atFirstPage(async (index) => {
        for (let number = 200; number < 350; number++) {
          await index.unpin({ kind: 'digest', digest: cache.digest(nameOf(number), 10) });
        }
        await index.pin({ kind: 'digest', digest: cache.digest(nameOf(210), 10) }, 0);
      }),
    );
    await cache.evictor.idle();
    const stored = await cache.stored();
    const gone = Array.from({ length: 350 }, (_, number) => number).filter(
      (n) => !stored.includes(nameOf(n)),
    );
    expect(gone).toEqual([...Array.from({ length: 10 }, (_, n) => 200 + n), ...gone.slice(10)]);
    expect(gone.slice(10)).toEqual(Array.from({ length: 8 }, (_, n) => 211 + n));
  });

  test.each([
    ['pinned', (index: ContentIndex, digest: Digest) => index.pin({ kind: 'digest', digest }, 2e12)],
    ['used', (index: ContentIndex, digest: Digest) => index.touch(new Map([[digest, 2e12]]))],
  ])('what is %s after it was chosen stays', async (_, use) => {
    let isFirst = true;
    await using cache: EvictionFixture = await startEviction({
      maxSize: 1000,
      wrapStore: (store) => ({
        ...store,
        async delete(digest) {
          if (isFirst) await use(cache.index, cache.digest('s', 10));
          isFirst = false;
          return store.delete(digest);
        },
      }),
    });
    const ingest = await cache.begin('big', 950);
    await putAll(cache, 'abcdefghijklmnopqrstuvwxyz', 10);
    await cache.finish(ingest, 'big', 950);
    await cache.evictor.idle();
    expect(await cache.stored()).toContain('s');
  });
});

test('what is opened after it was chosen stays', async () => {
  let reader: BlobReader | undefined;
  let isFirst = true;
  await using cache: EvictionFixture = await startEviction({
    maxSize: 1000,
    wrapStore: (store) => ({
      ...store,
      async delete(digest) {
        const open = isFirst ? cache.store.open(cache.digest('s', 10)) : undefined;
        isFirst = false;
        reader ??= await open;
        return store.delete(digest);
      },
    }),
  });
  const ingest = await cache.begin('big', 950);
  await putAll(cache, 'abcdefghijklmnopqrstuvwxyz', 10);
  await cache.finish(ingest, 'big', 950);
  await cache.evictor.idle();
  expect(await cache.stored()).toContain('s');
  await reader?.close();
});

test('a sweep hears of no commit after its end', async () => {
  await using cache = await startEviction({ maxSize: 1000 });
  const subscribe = cache.store.subscribe.bind(cache.store);
  let heard = 0;
  let hearing = 0;
  cache.store.subscribe = (listener) => {
    const end = subscribe(listener);
    heard += 1;
    hearing += 1;
    return () => {
      hearing -= 1;
      end();
    };
  };
  await putAll(cache, 'abcdefghijkl', 100);
  expect(heard).toBeGreaterThan(0);
  expect(hearing).toBe(0);
});

describe('a sweep in vain', () => {
  /** Counts the sweeps, each of which takes half a second. */
  async function startCounted(): Promise<{ cache: EvictionFixture; sweeps: () => number }> {
    let sweeps = 0;
    const cache: EvictionFixture = await startPinned(100, (index) => ({
      ...index,
      leastUsed(page) {
        if (page.after === undefined) {
          sweeps += 1;
          cache.clock.advance(500);
        }
        return index.leastUsed(page);
      },
    }));
    await cache.evictor.idle();
    return { cache, sweeps: () => sweeps };
  }

  test('is followed by a rest', async () => {
    const { cache, sweeps } = await startCounted();
    await using _ = cache;
    const before = sweeps();
    for (let times = 0; times < 3; times++) {
      await cache.put(`more ${times}`, 10);
      await cache.evictor.idle();
    }
    expect(sweeps()).toBe(before);
    // Ten times what the sweep took.
    cache.clock.advance(4_000);
    await cache.evictor.idle();
    expect(sweeps()).toBe(before);
    cache.clock.advance(6_000);
    await cache.evictor.idle();
    expect(sweeps()).toBeGreaterThan(before);
    expect(await cache.stored()).toHaveLength(100);
  });

  test('is followed by another one after each rest, though nothing wakes it', async () => {
    const { cache, sweeps } = await startCounted();
    await using _ = cache;
    for (let rests = 0; rests < 2; rests++) {
      const before = sweeps();
      await cache.put(`more ${rests}`, 10);
      for (let second = 0; second < 6; second++) {
        await cache.evictor.idle();
        expect(sweeps()).toBe(before);
        cache.clock.advance(1_000);
      }
      await cache.evictor.idle();
      expect(sweeps()).toBe(before + 1);
    }
  });

  test('does not rest any more once room was made for a fill', async () => {
    const { cache, sweeps } = await startCounted();
    await using _ = cache;
    await cache.put('more', 10);
    await cache.evictor.idle();
    expect(await cache.stored()).toHaveLength(101);
    const before = sweeps();
    for (let number = 0; number < 50; number++) {
      await cache.index.unpin({ kind: 'digest', digest: cache.digest(`pinned ${number}`, 10) });
    }
    cache.freeBytes = () => 0;
    cache.evictor.makeRoom(100);
    await cache.evictor.idle();
    expect(sweeps()).toBe(before + 1);
    expect(await cache.stored()).toHaveLength(91);
    for (const name of 'abcdefgh') await cache.put(name, 10);
    await cache.evictor.idle();
    expect(await cache.bytes()).toBeLessThanOrEqual(980);
  });
});

describe('the disk', () => {
  test('keeps so much free, whoever takes it', async () => {
    await using cache = await startEviction({ minFree: 1000, diskSize: 3000 });
    await putAll(cache, 'abcdefghij', 100);
    expect(await cache.stored()).toHaveLength(10);
    cache.others = 1200;
    cache.clock.advance(10_000);
    await cache.evictor.idle();
    expect(await cache.stored()).toEqual(Array.from('defghij'));
  });

  test('that gets back what was taken, while uses are written down, costs the cache nothing', async () => {
    let whileWriting = (): void => undefined;
    await using cache = await startEviction({
      minFree: 1000,
      diskSize: 3000,
      ...whileUsesAreWritten(() => whileWriting()),
    });
    await putAll(cache, 'abcdefghij', 100);
    cache.others = 1200;
    whileWriting = () => (cache.others = 0);
    cache.clock.advance(10_000);
    await cache.evictor.idle();
    expect(cache.others).toBe(0);
    expect(await cache.stored()).toHaveLength(10);
  });

  test('that loses more, while uses are written down, gets that at the next look', async () => {
    let whileWriting = (): void => undefined;
    await using cache = await startEviction({
      minFree: 1000,
      diskSize: 3000,
      ...whileUsesAreWritten(() => whileWriting()),
    });
    await putAll(cache, 'abcdefghij', 100);
    cache.others = 1100;
    whileWriting = () => (cache.others = 1300);
    cache.clock.advance(10_000);
    await cache.evictor.idle();
    expect(await cache.stored()).toEqual(Array.from('cdefghij'));
    cache.clock.advance(10_000);
    await cache.evictor.idle();
    expect(await cache.stored()).toEqual(Array.from('efghij'));
  });

  test('that tells only later what is free does not cost the cache twice', async () => {
    let free = 950;
    await using cache = await startEviction({ minFree: 1000, diskSize: 1e9 });
    await putAll(cache, 'abcdefghij', 100);
    cache.freeBytes = () => free;
    cache.evictor.wake();
    await cache.evictor.idle();
    expect(await cache.stored()).toHaveLength(9);
    cache.evictor.wake();
    await cache.evictor.idle();
    expect(await cache.stored()).toHaveLength(9);
    free = 1050;
    cache.clock.advance(10_000);
    await cache.evictor.idle();
    expect(await cache.stored()).toHaveLength(9);
  });

  test('is believed once it has had five seconds to tell', async () => {
    await using cache = await startEviction({ minFree: 1000, diskSize: 1e9 });
    await putAll(cache, 'abcdefghij', 100);
    cache.freeBytes = () => 950;
    const counts: number[] = [];
    for (const ms of [0, 4_000, 2_000]) {
      cache.clock.advance(ms);
      cache.evictor.wake();
      await cache.evictor.idle();
      counts.push((await cache.stored()).length);
    }
    expect(counts).toEqual([9, 9, 8]);
  });

  test('that has not one byte left and tells so for some seconds does not cost the cache twice, either', async () => {
    await using cache = await startEviction({ minFree: 100, diskSize: 1e9 });
    await putAll(cache, 'abcdefghij', 100);
    cache.freeBytes = () => 0;
    for (let times = 0; times < 2; times++) {
      cache.evictor.wake();
      await cache.evictor.idle();
      expect(await cache.stored()).toHaveLength(8);
    }
  });

  test('is kept free also while it does not tell yet what has been deleted', async () => {
    await using cache = await startEviction({ minFree: 1000, diskSize: 2000 });
    await putAll(cache, 'abcdefghij', 100);
    expect(await cache.stored()).toHaveLength(10);
    // All of it is told only seconds later.
    let deleted = 0;
    const told = cache.freeBytes;
    cache.freeBytes = async () => (await told()) - deleted;
    for (const name of 'klmno') {
      const before = cache.evicted.length;
      await cache.put(name, 100);
      await cache.evictor.idle();
      deleted += 100 * (cache.evicted.length - before);
      expect(await cache.bytes()).toBeLessThanOrEqual(1000);
      expect(await cache.bytes()).toBeGreaterThanOrEqual(800);
    }
  });

  test('makes room for a fill that it was too full for, though no mark says so', async () => {
    await using cache = await startEviction({ diskSize: 1000 });
    await putAll(cache, 'abcdefghij', 100);
    cache.evictor.makeRoom(250);
    await cache.evictor.idle();
    expect(await cache.stored()).toEqual(Array.from('defghij'));
    cache.evictor.makeRoom(5000);
    await cache.evictor.idle();
    expect(await cache.stored()).toEqual(Array.from('defghij'));
  });

  test('is not thought to have got back bytes that were not there', async () => {
    await using cache = await startEviction({ diskSize: 1000 });
    await cache.index.putBlob({ digest: cache.digest('lost', 200), size: 200 }, 1);
    await putAll(cache, 'abcdefgh', 100);
    cache.evictor.makeRoom(450);
    await cache.evictor.idle();
    expect(await cache.stored()).toEqual(Array.from('fgh'));
    expect(await cache.bytes()).toBe(300);
  });

  test('of unknown size is left alone', async () => {
    await using cache = await startEviction({ minFree: 1000 });
    await putAll(cache, 'abc', 100);
    cache.clock.advance(60_000);
    await cache.evictor.idle();
    expect(await cache.stored()).toEqual(['a', 'b', 'c']);
  });
});

test('what was used before the clock was set back is not spared for that', async () => {
  await using cache = await startEviction({ maxSize: 1000 });
  await putAll(cache, 'abcde', 100);
  cache.clock.jump(-365 * DAY);
  await putAll(cache, 'fghijk', 100);
  await putAll(cache, 'lmnopqrstuvwxyz', 100);
  expect(await cache.stored()).toEqual(Array.from('rstuvwxyz'));
});

describe('what nobody uses', () => {
  test('goes when its time has come', async () => {
    await using cache = await startEviction({ unusedForMs: DAY });
    await putAll(cache, 'ab', 100);
    cache.clock.advance(DAY / 2);
    await putAll(cache, 'c', 100);
    await cache.index.touch(new Map([[cache.digest('b', 100), cache.clock.now()]]));
    cache.clock.advance(DAY / 2);
    await cache.evictor.idle();
    expect(await cache.stored()).toEqual(['b', 'c']);
    cache.clock.advance(DAY / 2 + 10_000);
    await cache.evictor.idle();
    expect(await cache.stored()).toEqual([]);
  });

  test('is looked for every ten seconds, however often something else is', async () => {
    let looks = 0;
    await using cache = await startEviction({
      unusedForMs: DAY,
      wrapIndex: (index) => ({
        ...index,
        leastUsed(page) {
          looks += 1;
          return index.leastUsed(page);
        },
      }),
    });
    for (let times = 0; times < 3; times++) {
      cache.evictor.wake();
      await cache.evictor.idle();
    }
    expect(looks).toBe(1);
    cache.clock.advance(10_000);
    await cache.evictor.idle();
    expect(looks).toBe(2);
  });

  test('stays where it is pinned', async () => {
    await using cache = await startEviction({ unusedForMs: DAY });
    await cache.index.pin({ kind: 'digest', digest: await cache.put('a', 100) }, cache.clock.now());
    for (let day = 0; day < 3; day += 1) {
      cache.clock.advance(DAY + 1);
      await cache.evictor.idle();
    }
    expect(await cache.stored()).toEqual(['a']);
  });
});

describe('when something fails', () => {
  test('a fill’s room is not forgotten where the index does not answer', async () => {
    let isBusy = false;
    await using cache = await startEviction({
      diskSize: 1000,
      wrapIndex: (index) => ({
        ...index,
        stats: () => (isBusy ? Promise.reject(new IndexError('busy', 'SQLITE_BUSY')) : index.stats()),
      }),
    });
    await putAll(cache, 'abcdefghij', 100);
    isBusy = true;
    cache.evictor.makeRoom(250);
    await cache.evictor.idle();
    isBusy = false;
    expect(await cache.stored()).toHaveLength(10);
    cache.evictor.wake();
    await cache.evictor.idle();
    expect(await cache.stored()).toEqual(Array.from('defghij'));
  });

  test('an index that fails again after it has answered is told of again', async () => {
    let isBusy = false;
    await using cache = await startEviction({
      maxSize: 1000,
      wrapIndex: (index) => ({
        ...index,
        stats: () => (isBusy ? Promise.reject(new IndexError('busy', 'SQLITE_BUSY')) : index.stats()),
      }),
    });
    const told: number[] = [];
    for (const busy of [true, true, false, true]) {
      isBusy = busy;
      cache.evictor.wake();
      await cache.evictor.idle();
      told.push(cache.told('store-failed').length);
    }
    expect(told).toEqual([1, 1, 1, 2]);
  });

  test('what cannot be deleted is passed over, and told', async () => {
    let broken = '';
    await using cache = await startEviction({
      maxSize: 1000,
      wrapStore: (store) => ({
        ...store,
        delete: (digest) =>
          digest === broken
            ? Promise.reject(new StoreError('delete', { code: 'EIO' }))
            : store.delete(digest),
      }),
    });
    broken = cache.digest('a', 100);
    await putAll(cache, 'abcdefghij', 100);
    expect(await cache.stored()).toEqual(Array.from('acdefghij'));
    expect(cache.told('eviction-ended')).toMatchObject([{ blobs: 1, error: { code: 'EIO' } }]);
  });

  test('a disk that lets nothing be deleted is not asked for each blob, and the process goes on', async () => {
    let asked = 0;
    await using cache = await startEviction({
      maxSize: 1000,
      wrapStore: (store) => ({
        ...store,
        delete: () => {
          asked += 1;
          return Promise.reject(new StoreError('delete', { code: 'EROFS' }));
        },
      }),
    });
    const names = Array.from({ length: 98 }, (_, i) => `blob ${i}`);
    for (const name of names) await cache.put(name, 10);
    await cache.put('one more', 10);
    await cache.evictor.idle();
    expect(asked).toBeLessThan(10 + 16);
    expect(cache.told('eviction-ended')).toMatchObject([{ blobs: 0, error: { code: 'EROFS' } }]);
    const before = asked;
    await cache.put('yet one more', 10);
    await cache.evictor.idle();
    expect(asked).toBe(before);
    cache.clock.advance(5_000);
    await cache.evictor.idle();
    expect(asked).toBeGreaterThan(before);
  });

  test('an index that does not answer is told of once', async () => {
    let isBroken = false;
    await using cache = await startEviction({
      maxSize: 1000,
      wrapIndex: (index) => ({
        ...index,
        leastUsed: (page) => (isBroken ? Promise.reject(new Error('broken')) : index.leastUsed(page)),
      }),
    });
    isBroken = true;
    await putAll(cache, 'abcdefghijk', 100);
    expect(cache.told('store-failed')).toMatchObject([{ operation: 'evict' }]);
    isBroken = false;
    cache.clock.advance(10_000);
    await cache.evictor.idle();
    expect(await cache.stored()).toEqual(Array.from('cdefghijk'));
  });

  test('what is stored anew while it is being evicted is known afterwards', async () => {
    let raced = false;
    await using cache: EvictionFixture = await startEviction({
      maxSize: 1000,
      wrapStore: (store) => ({
        ...store,
        delete: async (digest) => {
          const deleted = await store.delete(digest);
          if (!raced) {
            raced = true;
            await cache.put('a', 100);
          }
          return deleted;
        },
      }),
    });
    await putAll(cache, 'abcdefghij', 100);
    expect(raced).toBe(true);
    expect(await cache.stored()).toContain('a');
  });

  test('closing waits for a look that is under way, and leaves no timer of it', async () => {
    await using cache = await startEviction({ minFree: 1000, diskSize: 500, msPerReading: 1 });
    // There is nothing to evict: it rests, and a look in that time is to wake it at its end.
    const asked = Promise.withResolvers<void>();
    const free = Promise.withResolvers<number>();
    cache.freeBytes = () => {
      asked.resolve();
      return free.promise;
    };
    cache.evictor.wake();
    await asked.promise;
    const closed = cache.evictor.close();
    free.resolve(500);
    await closed;
    expect(cache.clock.left).toEqual([]);
  });

  test('closing ends it between two deletions', async () => {
    await using cache: EvictionFixture = await startEviction({
      maxSize: 1000,
      wrapStore: (store) => ({
        ...store,
        delete: (digest) => {
          void cache.evictor.close();
          return store.delete(digest);
        },
      }),
    });
    for (const name of 'abcdefghij') await cache.put(name, 200);
    await cache.evictor.idle();
    expect(await cache.stored()).toHaveLength(9);
  });
});
