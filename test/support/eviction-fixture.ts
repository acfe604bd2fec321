/**
 * A store in memory, an index, and an evictor of the two, on a clock that the test moves.
 *
 *     await using cache = await startEviction({ maxSize: 1000 });
 *     await cache.put('a', 400);
 *     await cache.evictor.idle();
 *     expect(await cache.stored()).toEqual(['a']);
 */
import { Evictor, type EvictorOptions } from '../../src/eviction/evictor.ts';
import type { Marks } from '../../src/eviction/marks.ts';
import { createEvents, type LarderEvent } from '../../src/events.ts';
import type { ContentIndex } from '../../src/index/content-index.ts';
import type { Edge } from '../../src/oci/manifest.ts';
import type { RepositoryKey } from '../../src/index/repository-key.ts';
import { openSqliteIndex } from '../../src/index/sqlite/sqlite-index.ts';
import { digestOf, type Digest } from '../../src/oci/digest.ts';
import { MediaType } from '../../src/oci/media-type.ts';
import { parseRepositoryName } from '../../src/oci/repository-name.ts';
import type { BlobStore, Ingest } from '../../src/store/blob-store.ts';
import { HeldStore } from '../../src/store/held-store.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { fixtureClock, type ManualClock } from './manual-clock.ts';

export const REPOSITORY: RepositoryKey = {
  registry: 'registry.test',
  repository: parseRepositoryName('acme/app'),
};

export interface EvictionFixtureOptions extends Partial<Marks> {
  /** Size of the disk that the store is on, bytes. Absent: the disk does not tell. */
  readonly diskSize?: number;
  /** How far each reading moves the clock; 0: only the test moves it. Absent: as the run says. */
  readonly msPerReading?: number;
  readonly wrapStore?: (store: BlobStore) => BlobStore;
  readonly wrapIndex?: (index: ContentIndex) => ContentIndex;
}

export class EvictionFixture implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly events: LarderEvent[] = [];
  readonly store: HeldStore;
  readonly index: ContentIndex;
  readonly options: EvictorOptions;
  readonly evictor: Evictor;
  /** Returns the bytes that the disk says are free. */
  freeBytes: () => number | Promise<number>;
  /** Bytes of the disk that other programs take. */
  others = 0;
  /** Uses that are not in the index yet. */
  readonly uses = new Map<Digest, number>();
  /** The digests that the evictor told it has evicted. */
  readonly evicted: Digest[] = [];
  readonly #names = new Map<Digest, string>();

  constructor(index: ContentIndex, options: EvictionFixtureOptions) {
    const { maxSize, minFree = 0, unusedForMs, diskSize } = options;
    this.clock = fixtureClock(options.msPerReading);
    const memory = createMemoryStore();
    const bus = createEvents();
    bus.subscribe((event) => this.events.push(event));
    this.store = new HeldStore(options.wrapStore?.(memory) ?? memory);
    this.index = options.wrapIndex?.(index) ?? index;
    this.freeBytes = async () => {
      if (diskSize === undefined) throw new Error('there is no disk');
      return diskSize - this.others - (await this.bytes());
    };
    this.options = {
      marks: { maxSize, minFree, unusedForMs },
      store: this.store,
      index: this.index,
      clock: this.clock,
      events: bus,
      freeBytes: async () => this.freeBytes(),
      flushUses: async () => {
        await this.index.touch(this.uses);
        this.uses.clear();
      },
      onEvicted: (digest) => this.evicted.push(digest),
    };
    this.evictor = new Evictor(this.options);
  }

  digest(name: string, size: number): Digest {
    const digest = digestOf(bytesOf(name, size));
    this.#names.set(digest, name);
    return digest;
  }

  /** Begins to store bytes of this name and size. */
  async begin(name: string, size: number): Promise<Ingest> {
    return this.store.ingest({ digest: this.digest(name, size), size });
  }

  /** Stores bytes of this name and size, used now. */
  async put(name: string, size: number): Promise<Digest> {
    const ingest = await this.begin(name, size);
    return this.finish(ingest, name, size);
  }

  async finish(ingest: Ingest, name: string, size: number): Promise<Digest> {
    await ingest.write([bytesOf(name, size)]);
    const stored = await ingest.commit();
    await this.index.putBlob(stored, this.clock.now());
    return stored.digest;
  }

  /** Stores a manifest that refers to these children. */
  async putManifest(
    name: string,
    size: number,
    parts: readonly Digest[],
    role: Edge['role'] = 'layer',
  ): Promise<Digest> {
    const digest = this.digest(name, size);
    const edges = parts.map((part) => ({
      role,
      digest: part,
      size: 1,
      mediaType: 'application/octet-stream',
    }));
    const descriptor = { mediaType: MediaType.ociManifest, digest, size };
    await this.index.putManifest(REPOSITORY, { descriptor, subject: undefined }, edges);
    return this.put(name, size);
  }

  /** Returns the names of the stored blobs; the index must agree. */
  async stored(): Promise<string[]> {
    const names: string[] = [];
    for await (const { digest } of this.store.list()) names.push(this.#names.get(digest) ?? digest);
    const { blobs } = await this.index.stats();
    if (blobs !== names.length) throw new Error(`the index has ${blobs} blobs, the store ${names.length}`);
    return names.toSorted();
  }

  async bytes(): Promise<number> {
    let bytes = 0;
    for await (const { size } of this.store.list()) bytes += size;
    return bytes;
  }

  told<Kind extends LarderEvent['kind']>(kind: Kind): Extract<LarderEvent, { kind: Kind }>[] {
    return this.events.filter((event): event is Extract<LarderEvent, { kind: Kind }> => event.kind === kind);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.evictor.close();
    await this.index.close();
    const left = [...this.clock.left, ...this.store.held.map((digest) => `held: ${digest}`)];
    if (left.length > 0) throw new Error(`this is left:\n${left.join('\n')}`);
  }
}

export async function startEviction(options: EvictionFixtureOptions): Promise<EvictionFixture> {
  const fixture = new EvictionFixture(await openSqliteIndex(':memory:'), options);
  fixture.evictor.start();
  await fixture.evictor.idle();
  return fixture;
}

function bytesOf(name: string, size: number): Uint8Array {
  return Buffer.alloc(size, name);
}
