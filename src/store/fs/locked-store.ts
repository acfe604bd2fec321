import type { BlobStore } from '../blob-store.ts';
import type { Quarantine } from '../capabilities.ts';
import type { DirectoryLock } from './lock.ts';

/** Wraps a store so that it changes nothing once its directory is no longer the locked one. */
export function lockedStore(store: BlobStore, lock: Pick<DirectoryLock, 'assertHeld'>): BlobStore {
  return {
    stat: (digest) => store.stat(digest),
    open: (digest) => store.open(digest),
    list: () => store.list(),
    async ingest(options) {
      await lock.assertHeld();
      return store.ingest(options);
    },
    async delete(digest) {
      await lock.assertHeld();
      return store.delete(digest);
    },
    quarantine: store.quarantine && lockedQuarantine(store.quarantine, lock),
    freeBytes: store.freeBytes,
  };
}

function lockedQuarantine(quarantine: Quarantine, lock: Pick<DirectoryLock, 'assertHeld'>): Quarantine {
  return {
    stats: () => quarantine.stats(),
    async setAside(digest) {
      await lock.assertHeld();
      return quarantine.setAside(digest);
    },
    async drop(bytes) {
      await lock.assertHeld();
      return quarantine.drop(bytes);
    },
  };
}
