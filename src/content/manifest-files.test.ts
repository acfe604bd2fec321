import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { createEvents } from '../events.ts';
import type { ContentIndex } from '../index/content-index.ts';
import { openSqliteIndex } from '../index/sqlite/sqlite-index.ts';
import { digestOf } from '../oci/digest.ts';
import { parseManifest } from '../oci/manifest.ts';
import { MediaType } from '../oci/media-type.ts';
import { parseRepositoryName } from '../oci/repository-name.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { StoreError } from '../store/error.ts';
import { createMemoryStore } from '../store/memory.ts';
import { readManifest, writeManifest } from './manifest-files.ts';
import { StoredBlobs } from './stored-blobs.ts';

const BYTES = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] }));
const MANIFEST = { digest: digestOf(BYTES), mediaType: MediaType.ociIndex, bytes: BYTES };
const PARSED = parseManifest(BYTES, MediaType.ociIndex);
const KEY = { registry: 'registry.test', repository: parseRepositoryName('acme/app') };

class World implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly store: BlobStore;
  readonly index: ContentIndex;
  readonly stored: StoredBlobs;

  constructor(index: ContentIndex, store = createMemoryStore()) {
    this.index = index;
    this.store = store;
    const onSetAside = (): Promise<void> => Promise.resolve();
    this.stored = new StoredBlobs({ store, index, events: createEvents(), onSetAside });
  }

  static async open(store?: BlobStore): Promise<World> {
    return new World(await openSqliteIndex(':memory:'), store);
  }

  write(): Promise<void> {
    return writeManifest(this, KEY, MANIFEST, PARSED, undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.index.close();
  }
}

describe('a manifest', () => {
  it('that was written is read as its registry has given it', async () => {
    await using world = await World.open();
    await world.write();
    expect(await readManifest(world, KEY.registry, MANIFEST.digest)).toEqual({
      ...MANIFEST,
      bytes: new Uint8Array(BYTES),
    });
  });

  it('that was never written is not here', async () => {
    await using world = await World.open();
    expect(await readManifest(world, KEY.registry, MANIFEST.digest)).toBeUndefined();
  });

  it('whose bytes have gone is not here', async () => {
    await using world = await World.open();
    await world.write();
    await world.store.delete(MANIFEST.digest);
    expect(await readManifest(world, KEY.registry, MANIFEST.digest)).toBeUndefined();
  });

  it('is recorded only once its bytes are stored', async () => {
    const memory = createMemoryStore();
    const failure = new StoreError('publish a blob', { code: 'EIO' });
    await using world = await World.open({
      ...memory,
      ingest: async (expected) => {
        const ingest = await memory.ingest(expected);
        return Object.assign(ingest, { commit: () => Promise.reject(failure) });
      },
    });
    await expect(world.write()).rejects.toBe(failure);
    expect(await world.index.manifest(MANIFEST.digest)).toBeUndefined();
  });

  it('whose record fails is not kept', async () => {
    await using world = await World.open();
    const failure = new Error('the index is full');
    const index = { ...world.index, putManifest: () => Promise.reject(failure) };
    await expect(
      writeManifest({ store: world.store, index, clock: world.clock }, KEY, MANIFEST, PARSED, undefined),
    ).rejects.toBe(failure);
    expect(await world.store.stat(MANIFEST.digest)).toBeUndefined();
  });
});
