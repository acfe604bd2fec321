import { expect, it } from 'vitest';
import { StoreError } from './error.ts';
import { collect, DIGEST, errorOf, EXPECTED } from './store-under-test.contract.ts';
import { createUnusableStore } from './unusable-store.ts';

const ERROR = new StoreError('use the cache directory', { code: 'EACCES' });

it('holds nothing', async () => {
  const store = createUnusableStore(ERROR);
  expect([await store.stat(DIGEST), await store.open(DIGEST)]).toEqual([undefined, undefined]);
  expect(await collect(store.list())).toEqual([]);
  expect(await store.quarantined()).toEqual({ blobs: 0, bytes: 0, digests: [] });
});

it('has nothing that could be deleted or set aside', async () => {
  const store = createUnusableStore(ERROR);
  expect([await store.delete(DIGEST), await store.quarantine(DIGEST)]).toEqual([false, false]);
  expect(await store.dropQuarantined(1)).toBe(0);
});

it('tells why, where something is to be stored', async () => {
  expect(await errorOf(createUnusableStore(ERROR).ingest(EXPECTED))).toBe(ERROR);
});
