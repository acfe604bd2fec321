import { describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { describeBlobStore } from './blob-store.contract.ts';
import { StoreError } from './error.ts';
import { HeldStore, type Growth } from './held-store.ts';
import { createMemoryStore } from './memory.ts';
import { DIGEST, errorOf, EXPECTED, HELLO, put, turns, WRONG } from './store-under-test.contract.ts';

describeBlobStore(
  'a held store',
  async () => {
    const inner = createMemoryStore();
    const store = new HeldStore({ ...inner, freeBytes: async () => 1 });
    return {
      store,
      quarantined: async () => (await inner.quarantine!.stats()).blobs,
      leftovers: async () => [...store.held, ...[...store.ingests].map(() => 'an ingest')],
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
  ['quarantine', 'freeBytes'],
);

describe('a digest is held', () => {
  const open = (): HeldStore => new HeldStore(createMemoryStore());

  it('by each of its readers until it is closed', async () => {
    const store = open();
    await put(store, HELLO);
    expect(store.isHeld(DIGEST)).toBe(false);
    const readers = [await store.open(DIGEST), await store.open(DIGEST)];
    expect(store.isHeld(DIGEST)).toBe(true);
    await readers[0]?.close();
    await readers[0]?.close();
    expect(store.isHeld(DIGEST)).toBe(true);
    await readers[1]?.close();
    expect(store.isHeld(DIGEST)).toBe(false);
  });

  it('while it is being opened', async () => {
    const store = open();
    await put(store, HELLO);
    const opening = store.open(DIGEST);
    expect(store.isHeld(DIGEST)).toBe(true);
    await (await opening)?.close();
    expect(store.held).toEqual([]);
  });

  it('by no reader if there is nothing to open', async () => {
    const store = open();
    expect(await store.open(DIGEST)).toBeUndefined();
    expect(store.held).toEqual([]);
  });

  it('by its ingest, and by a follower even after the commit', async () => {
    const store = open();
    const ingest = await store.ingest(EXPECTED);
    expect(store.isHeld(DIGEST)).toBe(true);
    const follower = await ingest.follow();
    await ingest.write([HELLO]);
    await ingest.commit();
    expect([...store.ingests]).toEqual([]);
    expect(store.isHeld(DIGEST)).toBe(true);
    await follower.close();
    expect(store.isHeld(DIGEST)).toBe(false);
  });

  it.each([
    ['is aborted', (ingest) => ingest.abort(new Error('enough'))],
    ['is given up', async (ingest) => ingest[Symbol.asyncDispose]()],
    ['has got wrong bytes', (ingest) => errorOf(ingest.write([WRONG]).then(() => ingest.commit()))],
    ['is found to have wrong bytes', (ingest) => errorOf(ingest.write([WRONG]).then(() => ingest.verify()))],
    ['has got too many bytes', (ingest) => errorOf(ingest.write([Buffer.concat([HELLO, HELLO])]))],
  ] satisfies [string, (ingest: Awaited<ReturnType<HeldStore['ingest']>>) => Promise<unknown>][])(
    'no longer by an ingest that %s',
    async (_, end) => {
      const store = open();
      const ingest = await store.ingest(EXPECTED);
      await end(ingest);
      expect(store.held).toEqual([]);
      expect([...store.ingests]).toEqual([]);
    },
  );

  it('no longer by an ingest whose direct writer has reported too many bytes', async () => {
    const memory = createMemoryStore();
    const tooMany = new Error('too many');
    const direct = { open: () => Promise.reject(tooMany), advance: () => Promise.reject(tooMany) };
    const store = new HeldStore({
      ...memory,
      ingest: async (options) => Object.assign(await memory.ingest(options), { direct }),
    });
    const ingest = await store.ingest(EXPECTED);
    expect(await errorOf(ingest.direct!.advance(1))).toBe(tooMany);
    expect([store.held, [...store.ingests]]).toEqual([[], []]);
  });

  it('by an ingest and its followers as soon as the commit gives the digest', async () => {
    const store = open();
    const ingest = await store.ingest({});
    const [follower, early] = [await ingest.follow(), await ingest.follow()];
    await ingest.write([HELLO]);
    await early.close();
    expect(store.held).toEqual([]);
    const commit = ingest.commit({ digest: DIGEST });
    expect(store.held).toEqual([DIGEST]);
    await commit;
    const late = await ingest.follow();
    await follower.close();
    expect(store.held).toEqual([DIGEST]);
    await late.close();
    expect(store.held).toEqual([]);
  });

  it('from the verification on that tells the digest, until commit has ended', async () => {
    const memory = createMemoryStore();
    const publishing = Promise.withResolvers<void>();
    const store = new HeldStore({
      ...memory,
      async ingest(options) {
        const ingest = await memory.ingest(options);
        const commit = ingest.commit.bind(ingest);
        ingest.commit = async (expected) => {
          await publishing.promise;
          return commit(expected);
        };
        return ingest;
      },
    });
    const ingest = await store.ingest({});
    await ingest.write([HELLO]);
    const verification = ingest.verify({ digest: DIGEST });
    expect(store.held).toEqual([DIGEST]);
    await verification;
    const commit = ingest.commit();
    // What is being published takes room as what is being written does.
    expect([store.held, [...store.ingests]]).toEqual([[DIGEST], [{ size: undefined, offset: HELLO.length }]]);
    publishing.resolve();
    await commit;
    expect([store.held, [...store.ingests]]).toEqual([[], []]);
  });

  it('no longer once the commit expects something else', async () => {
    const store = open();
    const ingest = await store.ingest({ size: HELLO.byteLength });
    const follower = await ingest.follow();
    await errorOf(ingest.commit({ digest: DIGEST, size: 1 }));
    expect([...store.ingests]).toEqual([]);
    expect(store.held).toEqual([]);
    await follower.close();
  });

  it('by no reader and no ingest that failed to begin', async () => {
    const broken = new StoreError('begin', { code: 'EROFS' });
    const store = new HeldStore({
      ...createMemoryStore(),
      open: () => Promise.reject(broken),
      ingest: () => Promise.reject(broken),
    });
    expect(await errorOf(store.open(DIGEST))).toBe(broken);
    expect(await errorOf(store.ingest(EXPECTED))).toBe(broken);
    expect(store.held).toEqual([]);
  });
});

describe('a digest is held until the inner store has let go of it', () => {
  const slow = async (): Promise<void> => turns(5);

  it('by a reader', async () => {
    const inner = createMemoryStore();
    await put(inner, HELLO);
    const reader = (await inner.open(DIGEST))!;
    const store = new HeldStore({
      ...inner,
      open: async () => Object.assign(Object.create(reader) as typeof reader, { close: slow }),
    });
    const closed = (await store.open(DIGEST))?.close();
    await turns(1);
    expect(store.isHeld(DIGEST)).toBe(true);
    await closed;
    expect(store.isHeld(DIGEST)).toBe(false);
  });

  it.each(['abort', Symbol.asyncDispose] as const)('by an ingest: %s', async (end) => {
    const inner = createMemoryStore();
    const ingest = await inner.ingest(EXPECTED);
    const store = new HeldStore({ ...inner, ingest: async () => Object.assign(ingest, { [end]: slow }) });
    const ended = (await store.ingest(EXPECTED))[end](new Error('enough'));
    await turns(1);
    expect(store.held).toEqual([DIGEST]);
    expect([...store.ingests]).toHaveLength(1);
    await ended;
    expect(store.held).toEqual([]);
  });
});

describe('the growth of a store', () => {
  it('is reported, with the ingests running at the time', async () => {
    const store = new HeldStore(createMemoryStore());
    const told: [Growth, number][] = [];
    const end = store.subscribe((growth) => told.push([growth, [...store.ingests].length]));
    const ingest = await store.ingest(EXPECTED);
    await ingest.write([HELLO.subarray(0, 5)]);
    expect([...store.ingests]).toEqual([{ size: HELLO.byteLength, offset: 5 }]);
    await ingest.write([HELLO.subarray(5)]);
    await ingest.commit();
    expect(told).toMatchObject([
      [{ kind: 'begun', expected: EXPECTED }, 1],
      [{ kind: 'committed', stored: EXPECTED }, 0],
    ]);
    end();
    await put(store, Buffer.from('more'));
    expect(told).toHaveLength(2);
  });

  it('does not report deletions', async () => {
    const store = new HeldStore(createMemoryStore());
    await put(store, HELLO);
    const told: Growth[] = [];
    store.subscribe((growth) => told.push(growth));
    expect(await store.delete(digestOf(HELLO))).toBe(true);
    expect(told).toEqual([]);
  });
});
