import { describeBlobStore } from './blob-store.contract.ts';
import { createMemoryStore } from './memory.ts';

describeBlobStore(
  'memory',
  async () => {
    const store = createMemoryStore();
    return {
      store,
      quarantined: async () => (await store.quarantine!.stats()).blobs,
      leftovers: async () => [],
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
  ['quarantine'],
);

describeBlobStore('a store that can do nothing more', async () => ({
  store: { ...createMemoryStore(), quarantine: undefined },
  quarantined: async () => 0,
  leftovers: async () => [],
  [Symbol.asyncDispose]: async () => undefined,
}));
