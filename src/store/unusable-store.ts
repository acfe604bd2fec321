import type { BlobStore } from './blob-store.ts';
import type { StoreError } from './error.ts';

/** What there is where the cache directory cannot be used: nothing, and nothing can be stored. */
export function createUnusableStore(error: StoreError): BlobStore {
  return {
    stat: async () => undefined,
    open: async () => undefined,
    async ingest() {
      throw error;
    },
    delete: async () => false,
    quarantine: async () => false,
    quarantined: async () => ({ blobs: 0, bytes: 0, digests: [] }),
    dropQuarantined: async () => 0,
    async *list() {
      // Nothing.
    },
  };
}
