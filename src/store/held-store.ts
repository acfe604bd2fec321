import type { Digest } from '../oci/digest.ts';
import type {
  BlobReader,
  BlobStore,
  Expected,
  Ingest,
  Listed,
  QuarantineStats,
  Stored,
} from './blob-store.ts';
import { ForwardingReader } from './forwarding-reader.ts';

/** What makes a store larger: an ingest has begun, or has been committed. */
export type Growth =
  | { readonly kind: 'begun'; readonly expected: Expected }
  | { readonly kind: 'committed'; readonly stored: Stored };

/** A running ingest, as far as it has come. Bytes. */
export interface RunningIngest {
  /** Undefined where nobody has told it. */
  readonly size: number | undefined;
  readonly offset: number;
}

/**
 * A store that knows what of it is in use: open readers, followers and running ingests, by digest. The bytes of an
 * open reader outlive their deletion, but they take room until it is closed, and the next client would have to
 * fetch them anew: whoever deletes by choice asks `isHeld` first.
 */
export class HeldStore implements BlobStore {
  readonly #store: BlobStore;
  readonly #holds = new Map<Digest, number>();
  readonly #ingests = new Set<RunningIngest>();
  readonly #listeners = new Set<(growth: Growth) => void>();

  constructor(store: BlobStore) {
    this.#store = store;
  }

  /** Whether somebody reads, follows or writes the digest's bytes. */
  isHeld(digest: Digest): boolean {
    return this.#holds.has(digest);
  }

  /** Digests that are held. */
  get held(): readonly Digest[] {
    return [...this.#holds.keys()];
  }

  get ingests(): Iterable<RunningIngest> {
    return this.#ingests;
  }

  /** @returns a function that ends the subscription. */
  subscribe(listener: (growth: Growth) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  stat(digest: Digest): Promise<Stored | undefined> {
    return this.#store.stat(digest);
  }

  async open(digest: Digest): Promise<BlobReader | undefined> {
    return this.#holding(digest, async (release) => {
      const reader = await this.#store.open(digest);
      if (reader !== undefined) return new HeldReader(reader, release);
      release();
      return undefined;
    });
  }

  async ingest(expected: Expected): Promise<Ingest> {
    return this.#holding(expected.digest, async (release) => {
      const ingest = await this.#store.ingest(expected);
      const held = new HeldIngest(ingest, {
        release: () => {
          this.#ingests.delete(running);
          release();
        },
        committed: (stored) => this.#tell({ kind: 'committed', stored }),
        hold: (reader) => new HeldReader(reader, this.#hold(expected.digest)),
      });
      const running: RunningIngest = {
        size: expected.size,
        get offset() {
          return ingest.offset;
        },
      };
      this.#ingests.add(running);
      this.#tell({ kind: 'begun', expected });
      return held;
    });
  }

  delete(digest: Digest): Promise<boolean> {
    return this.#store.delete(digest);
  }

  quarantine(digest: Digest): Promise<boolean> {
    return this.#store.quarantine(digest);
  }

  quarantined(): Promise<QuarantineStats> {
    return this.#store.quarantined();
  }

  dropQuarantined(bytes: number): Promise<number> {
    return this.#store.dropQuarantined(bytes);
  }

  list(): AsyncIterable<Listed> {
    return this.#store.list();
  }

  /** Does what gives somebody the bytes; they are held from before on. */
  async #holding<T>(digest: Digest, work: (release: () => void) => Promise<T>): Promise<T> {
    const release = this.#hold(digest);
    try {
      return await work(release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** @returns a function that ends the hold; once more does nothing. */
  #hold(digest: Digest): () => void {
    let isOver = false;
    this.#count(digest, 1);
    return () => {
      if (!isOver) this.#count(digest, -1);
      isOver = true;
    };
  }

  #count(digest: Digest, change: 1 | -1): void {
    const holds = (this.#holds.get(digest) ?? 0) + change;
    if (holds === 0) this.#holds.delete(digest);
    else this.#holds.set(digest, holds);
  }

  #tell(growth: Growth): void {
    for (const listener of this.#listeners) listener(growth);
  }
}

class HeldReader extends ForwardingReader {
  readonly #release: () => void;

  constructor(reader: BlobReader, release: () => void) {
    super(reader);
    this.#release = release;
  }

  override async close(): Promise<void> {
    try {
      await super.close();
    } finally {
      this.#release();
    }
  }
}

interface IngestHold {
  readonly release: () => void;
  readonly committed: (stored: Stored) => void;
  readonly hold: (reader: BlobReader) => BlobReader;
}

class HeldIngest implements Ingest {
  readonly #ingest: Ingest;
  readonly #hold: IngestHold;

  constructor(ingest: Ingest, hold: IngestHold) {
    this.#ingest = ingest;
    this.#hold = hold;
  }

  get expected(): Expected {
    return this.#ingest.expected;
  }

  get offset(): number {
    return this.#ingest.offset;
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    try {
      await this.#ingest.write(chunks);
    } catch (error) {
      this.#hold.release();
      throw error;
    }
  }

  async follow(): Promise<BlobReader> {
    return this.#hold.hold(await this.#ingest.follow());
  }

  async commit(): Promise<Stored> {
    try {
      const stored = await this.#ingest.commit();
      this.#hold.release();
      this.#hold.committed(stored);
      return stored;
    } finally {
      this.#hold.release();
    }
  }

  async abort(reason: Error): Promise<void> {
    await this.#ingest.abort(reason);
    this.#hold.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ingest[Symbol.asyncDispose]();
    this.#hold.release();
  }
}
