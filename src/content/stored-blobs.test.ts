import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEvents, type LarderEvent } from '../events.ts';
import type { ContentIndex } from '../index/content-index.ts';
import { IndexError } from '../index/error.ts';
import { openSqliteIndex } from '../index/sqlite/sqlite-index.ts';
import { digestOf, type Digest } from '../oci/digest.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { quarantineOf, type Quarantine } from '../store/capabilities.ts';
import { StoreError } from '../store/error.ts';
import { HeldStore } from '../store/held-store.ts';
import { createMemoryStore } from '../store/memory.ts';
import { readWhole } from '../store/read-whole.ts';
import { StoredBlobs } from './stored-blobs.ts';

/** The store's methods, to spread. */
function heldMethods(store: HeldStore): Partial<BlobStore> {
  return { open: (digest) => store.open(digest), quarantine: store.quarantine };
}

const BYTES = Buffer.from('a layer');
const DIGEST = digestOf(BYTES);

describe('stored blobs', () => {
  let store: BlobStore;
  let index: ContentIndex;
  let events: LarderEvent[];
  let told: Digest[];

  beforeEach(async () => {
    store = createMemoryStore();
    index = await openSqliteIndex(':memory:');
    events = [];
    told = [];
    await using ingest = await store.ingest({ digest: DIGEST });
    await ingest.write([BYTES]);
    await index.putBlob(await ingest.commit(), 1);
  });

  afterEach(async () => {
    await index.close();
  });

  function stored(broken: { store?: Partial<BlobStore>; index?: Partial<ContentIndex> } = {}): StoredBlobs {
    const bus = createEvents();
    bus.subscribe((event) => events.push(event));
    return new StoredBlobs({
      store: { ...store, ...broken.store },
      index: { ...index, ...broken.index },
      events: bus,
      onSetAside: (digest) => Promise.resolve(void told.push(digest)),
    });
  }

  const fail = (code: string) => (): Promise<never> => Promise.reject(new StoreError('do it', { code }));

  const failing = (code: string): Quarantine => ({
    setAside: fail(code),
    stats: fail(code),
    drop: fail(code),
  });

  async function isThere(): Promise<boolean> {
    const [bytes, row] = [await store.stat(DIGEST), await index.blob(DIGEST)];
    expect(bytes === undefined).toBe(row === undefined);
    return bytes !== undefined;
  }

  it('are read as they are', async () => {
    const reader = await stored().open(DIGEST);
    expect(Buffer.from(await readWhole(reader!))).toEqual(BYTES);
    expect(await stored().stat(DIGEST)).toEqual({ digest: DIGEST, size: BYTES.length });
    expect(await stored().open(digestOf('other'))).toBeUndefined();
    expect(await stored().stat(digestOf('other'))).toBeUndefined();
    expect(events).toEqual([]);
  });

  it.each(['open', 'stat'] as const)('that cannot be read at %s are set aside', async (method) => {
    expect(await stored({ store: { [method]: fail('EIO') } })[method](DIGEST)).toBeUndefined();
    expect(await isThere()).toBe(false);
    expect(await quarantineOf(store).stats()).toMatchObject({
      blobs: 1,
      bytes: BYTES.length,
      digests: [DIGEST],
    });
    expect(events).toEqual([expect.objectContaining({ kind: 'blob-quarantined', digest: DIGEST })]);
    expect(told).toEqual([DIGEST]);
  });

  it.each(['open', 'stat'] as const)('are left alone if %s fails for another reason', async (method) => {
    const blobs = stored({ store: { [method]: fail('EMFILE') } });
    await expect(blobs[method](DIGEST)).rejects.toMatchObject({ code: 'EMFILE' });
    expect([await isThere(), events, told]).toEqual([true, [], []]);
  });

  it.each(['open', 'stat'] as const)('of another size than they had are set aside by %s', async (method) => {
    await index.putBlob({ digest: DIGEST, size: BYTES.length + 1 }, 1);
    expect(await stored()[method](DIGEST)).toBeUndefined();
    expect(await isThere()).toBe(false);
  });

  it('whose size the store does not tell are served', async () => {
    const sizeless: Partial<BlobStore> = {
      async open(digest) {
        const reader = await store.open(digest);
        return reader && Object.defineProperty(reader, 'size', { value: undefined });
      },
    };
    expect(await stored({ store: sizeless }).open(DIGEST)).toBeDefined();
    expect([await isThere(), events]).toEqual([true, []]);
  });

  it('are served if the index does not know them, or fails', async () => {
    const unknown = stored({ index: { blob: async () => undefined } });
    const failing = stored({ index: { blob: () => Promise.reject(new IndexError('busy', 'SQLITE_BUSY')) } });
    for (const blobs of [unknown, failing]) {
      const reader = await blobs.open(DIGEST);
      expect(Buffer.from(await readWhole(reader!))).toEqual(BYTES);
    }
    expect(await isThere()).toBe(true);
  });

  it('that cannot be read are deleted if the store has no quarantine', async () => {
    const blobs = stored({ store: { open: fail('EIO'), quarantine: undefined } });
    expect(await blobs.open(DIGEST)).toBeUndefined();
    expect(await isThere()).toBe(false);
    expect(await quarantineOf(store).stats()).toMatchObject({ blobs: 0 });
    expect(told).toEqual([DIGEST]);
  });

  it('that cannot be set aside are not served either', async () => {
    const broken = stored({ store: { open: fail('EIO'), quarantine: failing('EROFS') } });
    await expect(broken.open(DIGEST)).rejects.toMatchObject({ code: 'EROFS' });
    expect(await isThere()).toBe(true);
  });

  it.each([
    ['can be set aside', {}, {}],
    ['cannot be set aside', { quarantine: failing('EROFS') }, {}],
    ['cannot be forgotten', {}, { loseBlob: () => Promise.reject(new IndexError('busy', 'SQLITE_BUSY')) }],
  ])('of another size are not kept open if they %s', async (_, brokenStore, brokenIndex) => {
    await index.putBlob({ digest: DIGEST, size: BYTES.length + 1 }, 1);
    const held = new HeldStore({ ...store, ...brokenStore });
    const blobs = stored({ store: heldMethods(held), index: brokenIndex });
    expect(await blobs.open(DIGEST).catch(() => undefined)).toBeUndefined();
    expect(held.held).toEqual([]);
  });

  it('that cannot be read at their first byte are not kept open if they cannot be set aside', async () => {
    const unreadable: BlobStore = {
      ...store,
      quarantine: failing('EROFS'),
      async open(digest) {
        const reader = await store.open(digest);
        if (reader !== undefined) reader.read = fail('EIO');
        return reader;
      },
    };
    const held = new HeldStore(unreadable);
    const reader = await stored({ store: heldMethods(held) }).open(DIGEST);
    await expect(readWhole(reader!)).rejects.toMatchObject({ code: 'EIO' });
    expect(held.held).toEqual([]);
  });

  it('that were replaced by readable ones since they were opened are left alone', async () => {
    let isFirst = true;
    const replaced: Partial<BlobStore> = {
      async open(digest) {
        const reader = await store.open(digest);
        if (reader !== undefined && isFirst) reader.read = fail('EIO');
        isFirst = false;
        return reader;
      },
    };
    const reader = await stored({ store: replaced }).open(DIGEST);
    await expect(readWhole(reader!)).rejects.toMatchObject({ code: 'EIO' });
    expect(await isThere()).toBe(true);
    expect(events).toEqual([]);
  });

  it('that have lost their end since they were opened are set aside', async () => {
    let isFirst = true;
    const shortened: Partial<BlobStore> = {
      async open(digest) {
        const reader = await store.open(digest);
        if (reader !== undefined && isFirst) reader.read = fail('EIO');
        else if (reader !== undefined) Object.defineProperty(reader, 'size', { value: 3 });
        isFirst = false;
        return reader;
      },
    };
    const reader = await stored({ store: shortened }).open(DIGEST);
    await expect(reader!.read(new Uint8Array(1), 3)).rejects.toMatchObject({ code: 'EIO' });
    expect(await isThere()).toBe(false);
  });

  it('that are set aside are reported only after `onSetAside` has ended', async () => {
    const hearing = Promise.withResolvers<void>();
    const bus = createEvents();
    bus.subscribe((event) => events.push(event));
    const blobs = new StoredBlobs({ store, index, events: bus, onSetAside: () => hearing.promise });
    const settingAside = blobs.setAside(DIGEST, new Error('wrong'));
    for (let turn = 0; turn < 20; turn += 1) await setImmediate();
    expect([await isThere(), events]).toEqual([false, []]);
    hearing.resolve();
    await settingAside;
    expect(events).toHaveLength(1);
  });

  it('whose read has failed are set aside before the reader fails', async () => {
    const settingAside = Promise.withResolvers<boolean>();
    const unreadable: Partial<BlobStore> = {
      quarantine: { ...quarantineOf(store), setAside: () => settingAside.promise },
      async open(digest) {
        const reader = await store.open(digest);
        if (reader !== undefined) reader.read = fail('EIO');
        return reader;
      },
    };
    const reader = await stored({ store: unreadable }).open(DIGEST);
    let told: unknown;
    const reading = reader!.read(new Uint8Array(1), 0).catch((error: unknown) => {
      told = error;
    });
    for (let turn = 0; turn < 20; turn += 1) await setImmediate();
    expect(told).toBeUndefined();
    settingAside.resolve(false);
    await reading;
    expect(told).toMatchObject({ code: 'EIO' });
  });

  it('are not read again if a read has failed for a reason that is not theirs', async () => {
    let opened = 0;
    const failing: Partial<BlobStore> = {
      async open(digest) {
        opened += 1;
        const reader = await store.open(digest);
        if (reader !== undefined) reader.read = fail('EMFILE');
        return reader;
      },
    };
    const reader = await stored({ store: failing }).open(DIGEST);
    await expect(reader!.read(new Uint8Array(1), 0)).rejects.toMatchObject({ code: 'EMFILE' });
    expect([opened, await isThere()]).toEqual([1, true]);
  });

  it('of another size are closed before `open` returns', async () => {
    await index.putBlob({ digest: DIGEST, size: BYTES.length + 1 }, 1);
    const closing = Promise.withResolvers<void>();
    const slow: Partial<BlobStore> = {
      async open(digest) {
        const reader = await store.open(digest);
        if (reader !== undefined) reader.close = () => closing.promise;
        return reader;
      },
    };
    let isOver = false;
    const opening = stored({ store: slow })
      .open(DIGEST)
      .then(() => {
        isOver = true;
      });
    for (let turn = 0; turn < 20; turn += 1) await setImmediate();
    expect(isOver).toBe(false);
    closing.resolve();
    await opening;
  });

  it('that are gone already are set aside once', async () => {
    const blobs = stored();
    await blobs.setAside(DIGEST, new Error('wrong'));
    await blobs.setAside(DIGEST, new Error('wrong'));
    expect(events).toHaveLength(1);
  });
});
