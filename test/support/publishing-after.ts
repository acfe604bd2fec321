import type { BlobStore } from '../../src/store/blob-store.ts';

/** Wraps a store so that it publishes verified bytes once the gate opens. If the gate fails, so does publishing. */
export function publishingAfter(gate: Promise<void>, store: BlobStore): BlobStore {
  return {
    ...store,
    async ingest(expected) {
      const ingest = await store.ingest(expected);
      const commit = ingest.commit.bind(ingest);
      ingest.commit = async () => {
        try {
          await gate;
        } catch (error) {
          await ingest.abort(error as Error);
          throw error;
        }
        return commit();
      };
      return ingest;
    },
  };
}
