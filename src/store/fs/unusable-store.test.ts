import { expect, it } from 'vitest';
import { StoreError } from '../error.ts';
import { collect, DIGEST, errorOf, EXPECTED } from '../store-under-test.contract.ts';
import { createUnusableStore } from './unusable-store.ts';

const ERROR = new StoreError('use the cache directory', { code: 'EACCES' });

it('holds nothing', async () => {
  const store = createUnusableStore(ERROR);
  expect([await store.stat(DIGEST), await store.open(DIGEST)]).toEqual([undefined, undefined]);
  expect(await collect(store.list())).toEqual([]);
  expect(store.quarantine).toBeUndefined();
});

it('has nothing that could be deleted', async () => {
  expect(await createUnusableStore(ERROR).delete(DIGEST)).toBe(false);
});

it('tells how much is free if its disk still does', async () => {
  expect(await createUnusableStore(ERROR, { freeBytes: async () => 7 }).freeBytes?.()).toBe(7);
});

it('rejects every ingest with the reason', async () => {
  expect(await errorOf(createUnusableStore(ERROR).ingest(EXPECTED))).toBe(ERROR);
});
