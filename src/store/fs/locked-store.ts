import type { BlobStore } from '../blob-store.ts';
import type { DirectoryLock } from './lock.ts';

/** A store that changes nothing in a directory that is not its own any more. */
export function lockedStore(store: BlobStore, lock: Pick<DirectoryLock, 'assertHeld'>): BlobStore {
  return {
    stat: (digest) => store.stat(digest),
    open: (digest) => store.open(digest),
    list: () => store.list(),
    quarantined: () => store.quarantined(),
    async ingest(expected) {
      await lock.assertHeld();
      return store.ingest(expected);
    },
    async delete(digest) {
      await lock.assertHeld();
      return store.delete(digest);
    },
    async dropQuarantined(bytes) {
      await lock.assertHeld();
      return store.dropQuarantined(bytes);
    },
    async quarantine(digest) {
      await lock.assertHeld();
      return store.quarantine(digest);
    },
  };
}
