import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { ContentIndex, ManifestEntry } from '../index/content-index.ts';
import type { Digest } from '../oci/digest.ts';
import { documentType } from '../oci/document-type.ts';
import { parseJsonObject } from '../oci/json.ts';
import { manifestEdges, referrerDescriptor, type Manifest as ParsedManifest } from '../oci/manifest.ts';
import { plainContent } from '../oci/plain-content.ts';
import type { BlobStore } from '../store/blob-store.ts';
import type { FetchedManifest } from '../upstream/upstream.ts';
import { isDiskError, type Disk } from './disk.ts';
import { Flights } from './flights.ts';
import type { LastUse } from './last-use.ts';
import { refusalKey, type NegativeCache } from './negative.ts';
import { ManifestMemory } from './manifest-memory.ts';
import type { Outcome } from './outcome.ts';
import type { Belonging } from './permission/belonging.ts';
import type { Permission } from './permission/permission.ts';
import { recordOrDrop } from './record.ts';
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
  readonly permission: Permission;
  readonly stored: StoredBlobs;
  readonly lastUse: LastUse;
  readonly negative: NegativeCache;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly events: Events;
  /** Bytes of manifests kept in memory. */
  readonly memoryBytes: number;
}

/** Manifests by digest: from memory, from disk, from upstream, in this order. */
export class Manifests {
  readonly #memory: ManifestMemory;
  readonly #fetches: Flights<Manifest>;
  readonly #options: ManifestsOptions;
  /** How often something was forgotten: what was read before is not kept after it. */
  #forgotten = 0;

  constructor(options: ManifestsOptions) {
    this.#options = options;
    this.#fetches = new Flights(() => options.clock.monotonic());
    this.#memory = new ManifestMemory(options.memoryBytes);
  }

  /**
   * @throws UpstreamError where upstream says no or cannot be asked, and nothing that may be served is cached
   */
  async pull(target: Target, digest: Digest): Promise<PulledManifest> {
    const { permission, lastUse } = this.#options;
    const { upstream } = target.key;
    const local = await this.local(upstream, digest);
    if (local !== undefined) {
      const content = { kind: 'manifest', digest, size: local.bytes.length } as const;
      const outcome = await permission.ask(target, content);
      if (outcome !== 'fetch') {
        lastUse.record(digest);
        return { manifest: local, outcome };
      }
    }
    const { promise, collapsed } = this.#fetch(target, digest);
    const manifest = await promise;
    return {
      manifest,
      outcome: {
        hit: false,
        fwd: 'uri-miss',
        stored: this.#memory.get(upstream, digest) !== undefined,
        collapsed,
      },
    };
  }

  /** The manifest from memory or disk as the upstream gives it, whichever repository it belongs to. */
  async local(upstream: string, digest: Digest): Promise<Manifest | undefined> {
    return this.#memory.get(upstream, digest) ?? (await this.#fromDisk(upstream, digest));
  }

  /** What `pull` gives of a manifest that may be served as it is: in memory, and known to be the repository's. */
  pullNow(target: Target, digest: Digest): Manifest | undefined {
    const manifest = this.#memory.get(target.key.upstream, digest);
    if (manifest === undefined) return undefined;
    return this.#options.permission.isServedNow(target.key, digest) ? manifest : undefined;
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
    const parsed = fetched.content;
    await this.#keep(target, manifest, parsed);
    await this.#options.belonging.add(target.key, digest, 'given');
    this.#disproveParts(target, parsed);
    this.#memory.set(target.key.upstream, manifest);
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

  async #fromDisk(upstream: string, digest: Digest): Promise<Manifest | undefined> {
    const { stored, index, events } = this.#options;
    return tolerate(events, 'read a manifest', async () => {
      const forgotten = this.#forgotten;
      if ((await index.manifest(digest)) === undefined) return undefined;
      const given = await index.manifestType(upstream, digest);
      const reader = await stored.open(digest);
      if (reader === undefined) return undefined;
      // Manifests are small: what the disk gives back is checked every time it is read.
      const bytes = await stored.readVerified(digest, reader);
      if (bytes === undefined) return undefined;
      // Where the upstream has not given it, it counts as what it says of itself, never as what another one says.
      const mediaType = given ?? documentType(parseJsonObject(bytes));
      if (mediaType === undefined) return undefined;
      const manifest = { digest, mediaType, bytes };
      if (forgotten === this.#forgotten) this.#memory.set(upstream, manifest);
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
    const vouched = target.permission.checksReferences ? plainContent(parsed, bytes) : undefined;
    await recordOrDrop(this.#options, digest, () =>
      index.putManifest(target.key, entry, manifestEdges(parsed), { stored, vouched }),
    );
  }
}
