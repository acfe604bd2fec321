import { expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { describeBlobStore } from './blob-store.contract.ts';
import { createMemoryStore } from './memory.ts';
import { openAndRead } from './store-under-test.contract.ts';

describeBlobStore(
  'memory',
  async () => {
    const store = createMemoryStore();
    return {
      store,
      quarantined: async () => (await store.quarantine!.stats()).blobs,
      leftovers: async () => [],
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
  ['quarantine'],
);

describeBlobStore('a store that can do nothing more', async () => ({
  store: { ...createMemoryStore(), quarantine: undefined },
  quarantined: async () => 0,
  leftovers: async () => [],
  [Symbol.asyncDispose]: async () => undefined,
}));

it('memory keeps bytes that come in pieces of any size', async () => {
  const store = createMemoryStore();
  const bytes = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 251));
  await using ingest = await store.ingest({ digest: digestOf(bytes) });
  let at = 0;
  for (const length of [1000, 24, 1, 3000, 5975]) {
    await ingest.write([bytes.subarray(at, at + length)]);
    at += length;
  }
  await ingest.commit();
  expect(await openAndRead(store, bytes)).toEqual(bytes);
});
