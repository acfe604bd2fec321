import type { Digest } from '../oci/digest.ts';
import type { BlobReader, BlobStore, Expected, Ingest, IngestOptions, Listed, Stored } from './blob-store.ts';
import type { DirectWriting, Quarantine, StoreCapabilities } from './capabilities.ts';
import { ForwardingReader } from './forwarding-reader.ts';
import { LateHolds } from './late-holds.ts';

/** An event that makes a store larger: an ingest has begun, or was committed. */
export type Growth =
  | { readonly kind: 'begun'; readonly expected: Expected }
  | { readonly kind: 'committed'; readonly stored: Stored };

/** The position of a running ingest, in bytes. */
export interface RunningIngest {
  /** Undefined if it was unknown when the ingest began. */
  readonly size: number | undefined;
  readonly offset: number;
}

/**
 * A store that knows which digests are in use by open readers, followers or running ingests. An open reader's bytes
 * outlive their deletion, but they take room until the reader is closed, and the next client would have to fetch them
 * anew: so a caller that chooses what to delete asks `isHeld` first.
 */
export class HeldStore implements BlobStore {
  readonly quarantine: Quarantine | undefined;
  readonly freeBytes: StoreCapabilities['freeBytes'];
  readonly #store: BlobStore;
  readonly #holds = new Map<Digest, number>();
  readonly #ingests = new Set<RunningIngest>();
  readonly #listeners = new Set<(growth: Growth) => void>();

  constructor(store: BlobStore) {
    this.#store = store;
    this.quarantine = store.quarantine;
    this.freeBytes = store.freeBytes;
  }

  /** Whether the digest's bytes are being read, followed or written. */
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
    // The hold begins before opening, so that the bytes are not evicted meanwhile.
    const release = this.#hold(digest);
    try {
      const reader = await this.#store.open(digest);
      if (reader !== undefined) return new HeldReader(reader, release);
    } catch (error) {
      release();
      throw error;
    }
    release();
    return undefined;
  }

  async ingest(options: IngestOptions): Promise<Ingest> {
    const holds = new LateHolds((digest) => this.#hold(digest), options.digest);
    const release = holds.take();
    try {
      const ingest = await this.#store.ingest(options);
      const running = runningIngest(ingest, options.size);
      this.#ingests.add(running);
      this.#tell({ kind: 'begun', expected: options });
      return new HeldIngest(ingest, {
        holds,
        release: () => {
          this.#ingests.delete(running);
          release();
        },
        committed: (stored) => this.#tell({ kind: 'committed', stored }),
      });
    } catch (error) {
      release();
      throw error;
    }
  }

  delete(digest: Digest): Promise<boolean> {
    return this.#store.delete(digest);
  }

  list(): AsyncIterable<Listed> {
    return this.#store.list();
  }

  /** @returns a function that ends the hold; a second call does nothing. */
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

function runningIngest(ingest: Ingest, size: number | undefined): RunningIngest {
  return {
    size,
    get offset() {
      return ingest.offset;
    },
  };
}

interface IngestHold {
  /** The holds of the ingest itself and of its followers. */
  readonly holds: LateHolds;
  readonly release: () => void;
  readonly committed: (stored: Stored) => void;
}

class HeldIngest implements Ingest {
  readonly direct: DirectWriting | undefined;
  readonly #ingest: Ingest;
  readonly #hold: IngestHold;

  constructor(ingest: Ingest, hold: IngestHold) {
    this.#ingest = ingest;
    this.#hold = hold;
    this.direct = ingest.direct && this.#directTo(ingest.direct);
  }

  get expected(): Expected {
    return this.#ingest.expected;
  }

  get offset(): number {
    return this.#ingest.offset;
  }

  write(chunks: readonly Uint8Array[]): Promise<void> {
    return this.#orRelease(this.#ingest.write(chunks));
  }

  async follow(): Promise<BlobReader> {
    return new HeldReader(await this.#ingest.follow(), this.#hold.holds.take());
  }

  verify(expected?: Expected): Promise<Stored> {
    const verifying = this.#ingest.verify(expected);
    this.#hold.holds.setDigest(this.#ingest.expected.digest);
    return this.#orRelease(verifying);
  }

  async commit(expected?: Expected): Promise<Stored> {
    try {
      const committing = this.#ingest.commit(expected);
      // The digest is held before the bytes are visible: from then on they could be evicted.
      this.#hold.holds.setDigest(this.#ingest.expected.digest);
      const stored = await committing;
      this.#hold.release();
      this.#hold.committed(stored);
      return stored;
    } finally {
      this.#hold.release();
    }
  }

  #directTo(direct: DirectWriting): DirectWriting {
    return {
      open: () => direct.open(),
      advance: (bytes, digest) => this.#orRelease(direct.advance(bytes, digest)),
    };
  }

  /** Releases the hold if the work fails: its error has ended the ingest. */
  async #orRelease<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.#hold.release();
      throw error;
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
