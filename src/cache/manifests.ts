import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { ContentIndex, ManifestEntry } from '../index/content-index.ts';
import type { Digest } from '../oci/digest.ts';
import {
  manifestEdges,
  parseManifest,
  referrerDescriptor,
  type Manifest as ParsedManifest,
} from '../oci/manifest.ts';
import type { BlobStore } from '../store/blob-store.ts';
import type { FetchedManifest } from '../upstream/upstream.ts';
import type { Belonging } from './belonging.ts';
import { isDiskError, type Disk } from './disk.ts';
import { Flights } from './flights.ts';
import type { LastUse } from './last-use.ts';
import { refusalKey, type NegativeCache } from './negative.ts';
import { CONFIRMED, HIT, type Outcome } from './outcome.ts';
import { recordOrDrop } from './record.ts';
import type { Recovered } from './recovered.ts';
import { isRefusal } from './refusal.ts';
import type { StoredBlobs } from './stored-blobs.ts';
import type { Target } from './target.ts';
import { tolerate } from './tolerate.ts';

/** A manifest as it is served: byte-exact, with its own media type. */
export interface Manifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export interface PulledManifest {
  readonly manifest: Manifest;
  readonly outcome: Outcome;
}

export interface ManifestsOptions {
  readonly store: BlobStore;
  readonly index: ContentIndex;
  readonly belonging: Belonging;
  readonly recovered: Recovered;
  readonly stored: StoredBlobs;
  readonly lastUse: LastUse;
  readonly negative: NegativeCache;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly events: Events;
  /** Bytes of manifests kept in memory. */
  readonly memoryBytes: number;
}

/** What an entry costs beside its bytes: keys, and headers that are prepared for it. */
const ENTRY_OVERHEAD = 1024;
/** Small ones are prepared as text, too, which is what nearly all are. */
const COPIES = 2;

/** Manifests by digest: from memory, from disk, from upstream, in this order. */
export class Manifests {
  readonly #memory: LRUCache<Digest, Manifest>;
  readonly #fetches: Flights<Manifest>;
  readonly #confirmations: Flights<void>;
  readonly #options: ManifestsOptions;
  /** How often something was forgotten: what was read before is not kept after it. */
  #forgotten = 0;

  constructor(options: ManifestsOptions) {
    this.#options = options;
    const now = (): number => options.clock.monotonic();
    this.#fetches = new Flights(now);
    this.#confirmations = new Flights(now);
    this.#memory = new LRUCache({
      maxSize: options.memoryBytes,
      sizeCalculation: (manifest) => COPIES * manifest.bytes.length + ENTRY_OVERHEAD,
    });
  }

  /**
   * @throws UpstreamError where upstream says no or cannot be asked, and nothing that may be served is cached
   */
  async pull(target: Target, digest: Digest): Promise<PulledManifest> {
    const { belonging, lastUse } = this.#options;
    const local = await this.local(digest);
    if (local !== undefined) {
      const belongs = await belonging.has(target.key, digest);
      const outcome = belongs ? HIT : await this.#confirmStored(target, digest);
      lastUse.record(digest);
      return { manifest: local, outcome };
    }
    const { promise, collapsed } = this.#fetch(target, digest);
    const manifest = await promise;
    return {
      manifest,
      outcome: { hit: false, fwd: 'uri-miss', stored: this.#memory.has(digest), collapsed },
    };
  }

  /** The manifest from memory or disk, whomever it belongs to. */
  async local(digest: Digest): Promise<Manifest | undefined> {
    return this.#memory.get(digest) ?? (await this.#fromDisk(digest));
  }

  /** What `pull` gives of a manifest that may be served as it is: in memory, and known to be the repository's. */
  pullNow(target: Target, digest: Digest): Manifest | undefined {
    const manifest = this.#memory.get(digest);
    if (manifest === undefined) return undefined;
    return this.#options.belonging.isRemembered(target.key, digest) ? manifest : undefined;
  }

  /** Forgets what is in memory of digests that are not to be had from it any more. */
  forget(digests: Iterable<Digest>): void {
    this.#forgotten += 1;
    for (const digest of digests) this.#memory.delete(digest);
  }

  /**
   * Takes in what an upstream has sent for the repository: on disk, in the index and in memory. What has no
   * verifiable digest (schema 1) is handed through and not kept.
   */
  async take(target: Target, fetched: FetchedManifest): Promise<Manifest> {
    const { digest, mediaType, bytes } = fetched;
    const manifest: Manifest = { digest, mediaType, bytes };
    if (!fetched.verified) return manifest;
    const parsed = parseManifest(bytes, mediaType);
    await this.#keep(target, manifest, parsed);
    await this.#options.belonging.add(target.key, digest);
    this.#disproveParts(target, parsed);
    this.#memory.set(digest, manifest);
    this.#options.lastUse.record(digest);
    return manifest;
  }

  /** A registry takes a manifest only when it has what that names: what was refused before has been pushed meanwhile. */
  #disproveParts({ key }: Target, parsed: ParsedManifest): void {
    for (const { digest } of manifestEdges(parsed)) this.#options.negative.disprove(key, digest);
  }

  #fetch(target: Target, digest: Digest): { promise: Promise<Manifest>; collapsed: boolean } {
    const { upstream, key } = target;
    const { negative } = this.#options;
    const fetchKey = refusalKey('manifest', key, digest);
    const known = negative.get(fetchKey);
    if (known !== undefined) return { promise: Promise.reject(known), collapsed: false };
    return this.#fetches.join(fetchKey, async () => {
      try {
        const fetched = await upstream.manifest(key.repository, { kind: 'digest', digest });
        return await this.take(target, fetched);
      } catch (error) {
        if (isRefusal(error)) negative.put(fetchKey, error);
        throw error;
      }
    });
  }

  /** How a manifest that is here is served through a repository that it is not known to belong to. */
  async #confirmStored(target: Target, digest: Digest): Promise<Outcome> {
    try {
      await this.#confirm(target, digest);
      return CONFIRMED;
    } catch (error) {
      return this.#options.recovered.outcomeDespite(error, digest);
    }
  }

  /** Asks upstream whether bytes that are here already may be had through this repository as well. */
  async #confirm(target: Target, digest: Digest): Promise<void> {
    const { upstream, key } = target;
    const confirmKey = refusalKey('confirm', key, digest);
    const known = this.#options.negative.get(confirmKey);
    if (known !== undefined) throw known;
    const run = async (): Promise<void> => {
      const reference = { kind: 'digest', digest } as const;
      try {
        const resolved = await upstream.resolve(key.repository, reference);
        if (resolved === undefined) await upstream.manifest(key.repository, reference);
      } catch (error) {
        if (isRefusal(error)) this.#options.negative.put(confirmKey, error);
        throw error;
      }
      await this.#options.belonging.add(key, digest);
    };
    await this.#confirmations.join(confirmKey, run).promise;
  }

  async #fromDisk(digest: Digest): Promise<Manifest | undefined> {
    const { stored, index, events } = this.#options;
    return tolerate(events, 'read a manifest', async () => {
      const forgotten = this.#forgotten;
      const entry = await index.manifest(digest);
      if (entry === undefined) return undefined;
      const reader = await stored.open(digest);
      if (reader === undefined) return undefined;
      // Manifests are small: what the disk gives back is checked every time it is read.
      const bytes = await stored.readVerified(digest, reader);
      if (bytes === undefined) return undefined;
      const manifest = { digest, mediaType: entry.descriptor.mediaType, bytes };
      if (forgotten === this.#forgotten) this.#memory.set(digest, manifest);
      return manifest;
    });
  }

  /** On disk, where the disk lets us. */
  async #keep(target: Target, manifest: Manifest, parsed: ParsedManifest): Promise<void> {
    const { disk, events } = this.#options;
    if (disk.error !== undefined) return;
    try {
      await this.#toDisk(target, manifest, parsed);
    } catch (error) {
      if (isDiskError(error)) disk.failed(error, manifest.bytes.length);
      events.emit({ kind: 'store-failed', operation: 'store a manifest', error });
    }
  }

  async #toDisk(target: Target, { digest, bytes }: Manifest, parsed: ParsedManifest): Promise<void> {
    const { store, index, clock } = this.#options;
    await using ingest = await store.ingest({ digest, size: bytes.length });
    await ingest.write([bytes]);
    await ingest.commit();
    const entry: ManifestEntry = {
      descriptor: referrerDescriptor(parsed, { digest, size: bytes.length }),
      subject: parsed.subject?.digest,
    };
    const stored = { usedAt: clock.now() };
    await recordOrDrop(this.#options, digest, () =>
      index.putManifest(target.key, entry, manifestEdges(parsed), { stored }),
    );
  }
}
