import type { BlobStore } from './blob-store.ts';
import type { StoreCapabilities } from './capabilities.ts';
import type { StoreError } from './error.ts';

/**
 * What there is where the cache directory cannot be used: nothing, and nothing can be stored.
 * @param freeBytes its disk may still tell how full it is
 */
export function createUnusableStore(
  error: StoreError,
  { freeBytes }: Pick<StoreCapabilities, 'freeBytes'> = {},
): BlobStore {
  return {
    stat: async () => undefined,
    open: async () => undefined,
    async ingest() {
      throw error;
    },
    delete: async () => false,
    async *list() {
      // Nothing.
    },
    freeBytes,
  };
}
