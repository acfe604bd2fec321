import { describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { freeBytesOf, quarantineOf, type StoreCapabilities } from './capabilities.ts';
import { describeDirectWriting } from './direct-writing.contract.ts';
import {
  DIGEST,
  errorOf,
  HELLO,
  openAndRead,
  put,
  readThrough,
  type StoreSubject,
} from './store-under-test.contract.ts';

export type Capability = keyof StoreCapabilities | 'direct';

const OF_STORES = ['quarantine', 'freeBytes'] as const;

/** Tests what a store can do beyond its port, and the fallbacks if it cannot. */
export function describeCapabilities(subject: StoreSubject, capabilities: readonly Capability[]): void {
  it(`are these: ${capabilities.join(', ')}`, async () => {
    const { store } = subject;
    await using ingest = await store.ingest({});
    const ofStore = OF_STORES.filter((capability) => store[capability] !== undefined);
    expect(ingest.direct === undefined ? ofStore : [...ofStore, 'direct']).toEqual(capabilities);
  });

  it('set aside, or delete, bytes that have turned out to be wrong', async () => {
    const { store } = subject;
    const quarantine = quarantineOf(store);
    expect(await quarantine.setAside(DIGEST)).toBe(false);
    await put(store, HELLO);
    const reader = (await store.open(DIGEST))!;
    expect(await quarantine.setAside(DIGEST)).toBe(true);
    expect(await quarantine.setAside(DIGEST)).toBe(false);
    expect(await store.stat(DIGEST)).toBeUndefined();
    expect(await store.open(DIGEST)).toBeUndefined();
    expect(await readThrough(reader)).toEqual(HELLO);
    await reader.close();
    await put(store, HELLO);
    expect(await openAndRead(store, HELLO)).toEqual(HELLO);
  });

  describe.runIf(capabilities.includes('quarantine'))('of keeping wrong bytes', () => {
    describeQuarantine(subject);
  });
  describe.runIf(!capabilities.includes('quarantine'))('without a quarantine', () => {
    it('keep nothing', async () => {
      await put(subject.store, HELLO);
      const quarantine = quarantineOf(subject.store);
      await quarantine.setAside(DIGEST);
      expect(await quarantine.stats()).toEqual({ blobs: 0, bytes: 0, digests: [] });
      expect(await quarantine.drop(1)).toBe(0);
    });
  });

  describe.runIf(capabilities.includes('direct'))('of writing past the store', () => {
    describeDirectWriting(subject);
  });

  it.runIf(capabilities.includes('freeBytes'))('tell how much may still be written', async () => {
    expect(await freeBytesOf(subject.store)()).toBeGreaterThan(0);
  });
  it.runIf(!capabilities.includes('freeBytes'))(
    'say so if they cannot tell how much may still be written',
    async () => {
      const error = await errorOf(freeBytesOf(subject.store)());
      expect(error).toMatchObject({ name: 'StoreError', code: 'ENOTSUP' });
    },
  );
}

function describeQuarantine(subject: StoreSubject): void {
  it('tell what was set aside', async () => {
    const { store } = subject;
    await put(store, HELLO);
    await quarantineOf(store).setAside(DIGEST);
    expect(await quarantineOf(store).stats()).toEqual({
      blobs: 1,
      bytes: HELLO.byteLength,
      digests: [DIGEST],
    });
  });

  it('count bytes that never were in the store, and name only known digests', async () => {
    const { store } = subject;
    await using wrong = await store.ingest({});
    await wrong.write([HELLO]);
    await errorOf(wrong.commit({ digest: digestOf('other') }));
    await using long = await store.ingest({ size: 5 });
    await long.write([HELLO.subarray(0, 5)]);
    await errorOf(long.write([HELLO]));
    const bytes = HELLO.byteLength + 5;
    expect(await quarantineOf(store).stats()).toEqual({ blobs: 2, bytes, digests: [digestOf('other')] });
  });

  it('drop no more from quarantine than they are asked to', async () => {
    const { store } = subject;
    const quarantine = quarantineOf(store);
    expect(await quarantine.drop(1)).toBe(0);
    for (const text of ['one', 'two', 'six'].map((text) => Buffer.from(text))) {
      await put(store, text);
      await quarantine.setAside(digestOf(text));
    }
    expect(await quarantine.drop(0)).toBe(0);
    expect(await quarantine.drop(4)).toBe(6);
    expect(await quarantine.stats()).toMatchObject({ blobs: 1, bytes: 3 });
    expect(await quarantine.drop(1000)).toBe(3);
    expect(await quarantine.stats()).toEqual({ blobs: 0, bytes: 0, digests: [] });
  });
}
