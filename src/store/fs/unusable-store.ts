import type { BlobStore } from '../blob-store.ts';
import type { StoreCapabilities } from '../capabilities.ts';
import type { StoreError } from '../error.ts';

/**
 * Creates the store that stands in for an unusable cache directory: it is empty, and every ingest fails with `error`.
 * @param freeBytes of the directory's disk, which may still tell how full it is
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
      // It is empty.
    },
    freeBytes,
  };
}
