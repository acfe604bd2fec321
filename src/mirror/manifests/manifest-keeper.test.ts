import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { createEvents, type LarderEvent } from '../../events.ts';
import type { ContentIndex } from '../../index/content-index.ts';
import type { RepositoryKey } from '../../index/repository-key.ts';
import { digestOf } from '../../oci/digest.ts';
import { MediaType } from '../../oci/media-type.ts';
import { parseRepositoryName } from '../../oci/repository-name.ts';
import { createMemoryStore } from '../../store/memory.ts';
import { StoreError } from '../../store/error.ts';
import { DiskHealth } from '../disk-health.ts';
import { ManifestKeeper } from './manifest-keeper.ts';

const BYTES = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] }));
const MANIFEST = { digest: digestOf(BYTES), mediaType: MediaType.ociIndex, bytes: BYTES };
const KEY: RepositoryKey = { registry: 'registry.test', repository: parseRepositoryName('acme/app') };

class World {
  readonly clock = new ManualClock();
  readonly told: LarderEvent[] = [];
  /** The error that writes fail with; it predicts nothing about the next write. */
  failure: StoreError | undefined;
  ingests = 0;
  /** Repositories for which the manifest was recorded. */
  readonly recorded: string[] = [];
  readonly keeper: ManifestKeeper;

  constructor() {
    const events = createEvents();
    events.subscribe((event) => this.told.push(event));
    const memory = createMemoryStore();
    const store = {
      ...memory,
      ingest: async (expected: Parameters<typeof memory.ingest>[0]) => {
        this.ingests += 1;
        if (this.failure !== undefined) throw this.failure;
        return memory.ingest(expected);
      },
    };
    const index = {
      blob: async () => undefined,
      putManifest: async ({ repository }: RepositoryKey) => void this.recorded.push(repository),
    } as unknown as ContentIndex;
    const disk = new DiskHealth({ store, clock: this.clock, events });
    this.keeper = new ManifestKeeper({ store, index, disk, clock: this.clock, events });
  }

  /** Serves the manifest from memory. */
  async use(): Promise<void> {
    this.keeper.writeMissing({ key: KEY }, MANIFEST);
    await this.keeper.close();
  }
}

describe('a manifest', () => {
  it('is stored and recorded', async () => {
    const world = new World();
    expect(await world.keeper.write({ key: KEY }, MANIFEST)).toBe(true);
    expect([world.recorded, world.keeper.isMissing(MANIFEST.digest)]).toEqual([['acme/app'], false]);
  });

  it('is written once by callers that write it at the same time, and again by a later one', async () => {
    const world = new World();
    const written = await Promise.all([1, 2].map(() => world.keeper.write({ key: KEY }, MANIFEST)));
    expect([written, world.ingests]).toEqual([[true, true], 1]);
    await world.keeper.write({ key: KEY }, MANIFEST);
    expect(world.ingests).toBe(2);
  });

  it('is written for each repository', async () => {
    const world = new World();
    const other = { ...KEY, repository: parseRepositoryName('acme/other') };
    await Promise.all([KEY, other].map((key) => world.keeper.write({ key }, MANIFEST)));
    expect(world.recorded).toEqual(['acme/app', 'acme/other']);
  });
});

describe('a manifest that could not be stored', () => {
  async function start(): Promise<World> {
    const world = new World();
    world.failure = new StoreError('begin a blob', { code: 'EMFILE' });
    expect(await world.keeper.write({ key: KEY }, MANIFEST)).toBe(false);
    return world;
  }

  it('is missing, and the failure is reported', async () => {
    const { keeper, told, failure } = await start();
    expect(keeper.isMissing(MANIFEST.digest)).toBe(true);
    expect(told).toEqual([{ kind: 'store-failed', operation: 'store a manifest', error: failure }]);
  });

  it('is written again at its next use, after a rest', async () => {
    const world = await start();
    world.failure = undefined;
    world.clock.advance(4999);
    await world.use();
    expect(world.recorded).toEqual([]);
    world.clock.advance(1);
    await world.use();
    expect([world.recorded, world.keeper.isMissing(MANIFEST.digest)]).toEqual([['acme/app'], false]);
    await world.use();
    expect(world.ingests).toBe(2);
  });

  it('is not written while the disk is known to fail', async () => {
    const world = await start();
    world.failure = new StoreError('begin a blob', { code: 'ENOSPC' });
    world.clock.advance(5000);
    await world.use();
    world.clock.advance(4999);
    await world.use();
    expect([world.ingests, world.keeper.isMissing(MANIFEST.digest)]).toEqual([2, true]);
  });

  it('is no longer missing once it is forgotten', async () => {
    const { keeper } = await start();
    keeper.forget(MANIFEST.digest);
    expect(keeper.isMissing(MANIFEST.digest)).toBe(false);
  });
});

it('a manifest that the disk has lost is written at its next use', async () => {
  const world = new World();
  world.keeper.lost(MANIFEST.digest);
  await world.use();
  expect(world.recorded).toEqual(['acme/app']);
});

it('of many that the disk has lost, four are written at a time because of hits', async () => {
  const world = new World();
  const manifests = Array.from({ length: 6 }, (_, i) => {
    const document = {
      schemaVersion: 2,
      mediaType: MediaType.ociIndex,
      manifests: [],
      annotations: { i: `${i}` },
    };
    const bytes = Buffer.from(JSON.stringify(document));
    return { digest: digestOf(bytes), mediaType: MediaType.ociIndex, bytes };
  });
  for (const manifest of manifests) {
    world.keeper.lost(manifest.digest);
    world.keeper.writeMissing({ key: KEY }, manifest);
  }
  await world.keeper.close();
  expect(manifests.map(({ digest }) => world.keeper.isMissing(digest))).toEqual([
    ...Array<boolean>(4).fill(false),
    ...Array<boolean>(2).fill(true),
  ]);
});
