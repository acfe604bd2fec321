import { describeBlobStore } from './blob-store.contract.ts';
import { createMemoryStore } from './memory.ts';

describeBlobStore('memory', async () => {
  const store = createMemoryStore();
  return {
    store,
    quarantined: async () => (await store.quarantined()).blobs,
    leftovers: async () => [],
    [Symbol.asyncDispose]: async () => undefined,
  };
});
