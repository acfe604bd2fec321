import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { BlobStore } from '../blob-store.ts';
import { StoreError } from '../error.ts';
import { createMemoryStore } from '../memory.ts';
import { collect, DIGEST, EXPECTED, HELLO, openAndRead, put } from '../store-under-test.contract.ts';
import { lockedStore } from './locked-store.ts';

describe('a store whose directory is no longer the locked one', () => {
  const STALE = new StoreError('write to /cache, which has been replaced', { code: 'ESTALE' });

  /** A store with a blob, whose lock finds the directory replaced a turn of the event loop later. */
  async function open() {
    const inner = createMemoryStore();
    await put(inner, HELLO);
    const quarantine = inner.quarantine!;
    const changes = {
      ingest: vi.spyOn(inner, 'ingest'),
      delete: vi.spyOn(inner, 'delete'),
      setAside: vi.spyOn(quarantine, 'setAside'),
      drop: vi.spyOn(quarantine, 'drop'),
    };
    const assertHeld = async (): Promise<void> => {
      await nextTurn();
      throw STALE;
    };
    return { store: lockedStore(inner, { assertHeld }), changes };
  }

  it.each([
    ['ingest', (store: BlobStore) => store.ingest(EXPECTED)],
    ['delete', (store: BlobStore) => store.delete(DIGEST)],
    ['setAside', (store: BlobStore) => store.quarantine!.setAside(DIGEST)],
    ['drop', (store: BlobStore) => store.quarantine!.drop(1)],
  ] as const)('changes nothing there: %s', async (name, change) => {
    const { store, changes } = await open();
    await expect(change(store)).rejects.toBe(STALE);
    expect(changes[name]).not.toHaveBeenCalled();
  });

  it('still reads what it has', async () => {
    const { store } = await open();
    expect(await store.stat(DIGEST)).toEqual(EXPECTED);
    expect(await openAndRead(store, HELLO)).toEqual(HELLO);
    expect(await collect(store.list())).toMatchObject([EXPECTED]);
    expect(await store.quarantine?.stats()).toMatchObject({ blobs: 0 });
  });
});

it('a store without a quarantine has none under a lock, either', () => {
  const { quarantine: _, ...inner } = createMemoryStore();
  expect(lockedStore(inner, { assertHeld: async () => undefined }).quarantine).toBeUndefined();
});
