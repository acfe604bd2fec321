import { Readable } from 'node:stream';
import { Belonging } from '../../src/mirror/permission/belonging.ts';
import { Permission } from '../../src/mirror/permission/permission.ts';
import { DiskHealth } from '../../src/mirror/disk-health.ts';
import { LastUse } from '../../src/mirror/last-use.ts';
import { NegativeCache } from '../../src/mirror/negative-cache.ts';
import { rememberIndex, type RememberingIndex } from '../../src/index/decorators/remembering-index.ts';
import { SmallBlobs } from '../../src/content/small-blobs.ts';
import { StoredBlobs } from '../../src/content/stored-blobs.ts';
import type { Target } from '../../src/mirror/target.ts';
import { createEvents } from '../../src/events.ts';
import { openSqliteIndex } from '../../src/index/sqlite/sqlite-index.ts';
import type { Digest } from '../../src/oci/digest.ts';
import type { BlobStore } from '../../src/store/blob-store.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { UpstreamError } from '../../src/upstream/error.ts';
import type { ByteRange, Upstream } from '../../src/upstream/upstream.ts';
import { ManualClock } from './manual-clock.ts';
import { StubUpstream, targetOf } from './stub-upstream.ts';

/** Changes to the store and the index, which make them fail or wait. */
interface MemoryCacheChanges {
  readonly store?: (store: BlobStore) => Partial<BlobStore>;
  readonly index?: Partial<RememberingIndex>;
}

/** The parts that `BlobPuller` and `ManifestPuller` need, on a store and an index in memory. */
export class MemoryCache implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly events = createEvents();
  readonly memoryBytes = 1024 * 1024;
  readonly negative = new NegativeCache(this.clock, 30_000);
  readonly store: BlobStore;
  readonly index: RememberingIndex;
  readonly belonging: Belonging;
  readonly permission: Permission;
  readonly stored: StoredBlobs;
  readonly small: SmallBlobs;
  readonly lastUse: LastUse;
  readonly disk: DiskHealth;

  constructor(index: RememberingIndex, { store }: MemoryCacheChanges) {
    const memory = createMemoryStore();
    this.store = { ...memory, ...store?.(memory) };
    this.index = index;
    const { clock, events, negative } = this;
    this.belonging = new Belonging(index, events, negative);
    const { belonging } = this;
    const recovered = { isServed: false, isWordEnough: false };
    this.permission = new Permission({ index, belonging, negative, recovered, clock, events });
    this.stored = new StoredBlobs({ store: this.store, index, events, onSetAside: () => Promise.resolve() });
    this.small = new SmallBlobs({ stored: this.stored, memoryBytes: this.memoryBytes });
    this.lastUse = new LastUse(index, clock, events);
    this.disk = new DiskHealth({ store: this.store, clock, events });
  }

  static async open(changes: MemoryCacheChanges = {}): Promise<MemoryCache> {
    const index = rememberIndex(await openSqliteIndex(':memory:'));
    return new MemoryCache({ ...index, ...changes.index }, changes);
  }

  /** Stores bytes and puts them into the index, without a repository. */
  async keep(digest: Digest, bytes: Uint8Array): Promise<void> {
    await using ingest = await this.store.ingest({ digest });
    await ingest.write([bytes]);
    await this.index.putBlob(await ingest.commit(), 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lastUse.flush();
    await this.index.close();
  }
}

/** An upstream with one blob, whose bytes come when the test sends them. */
export class HeldUpstream {
  /** The blob's size in bytes, as it tells it with the body. */
  size: number | undefined;
  /** The range of each request; undefined is the whole. */
  readonly asked: (ByteRange | undefined)[] = [];
  /** The body of each answer: the test pushes the pieces. */
  readonly bodies: Readable[] = [];
  /** Number of requests for the blob without its bytes. */
  questions = 0;
  /** The error of requests for bytes, if they fail. */
  refusal: Error | undefined;
  /** The error of requests without bytes, if they fail. */
  denial: Error | undefined;
  /** Requests for bytes are answered after this resolves. */
  answering: Promise<void> = Promise.resolve();
  readonly #upstream: Upstream;

  /** @param told the size in bytes that it tells to requests without bytes; `none`: it tells none */
  constructor(size: number | undefined, told: number | 'none' | undefined = size) {
    this.size = size;
    const toldSize = told === 'none' ? undefined : told;
    this.#upstream = {
      ...new StubUpstream().upstream,
      blob: async (_, __, { range, signal } = {}) => {
        const start = range?.start ?? 0;
        this.asked.push(range);
        await this.answering;
        if (this.refusal !== undefined) throw this.refusal;
        return { body: this.#body(signal), start, size: this.size };
      },
      statBlob: async () => {
        this.questions += 1;
        if (this.denial !== undefined) throw this.denial;
        return { size: toldSize, by: 'head' };
      },
    };
  }

  target(repository = 'acme/app'): Target {
    return targetOf(this.#upstream, repository);
  }

  /** Sends a copy of these bytes as the last answer, and ends it. A fill releases the memory of what it has written. */
  send(bytes: Uint8Array): void {
    this.bodies.at(-1)?.push([Uint8Array.from(bytes)]);
    this.bodies.at(-1)?.push(null);
  }

  #body(signal: AbortSignal | undefined): Readable {
    const body = new Readable({ objectMode: true, read: () => {} });
    body.on('error', () => {});
    const cancelled = new UpstreamError('registry.test', 'unavailable', 'cancelled', 'given up');
    signal?.addEventListener('abort', () => body.destroy(cancelled));
    this.bodies.push(body);
    return body;
  }
}
