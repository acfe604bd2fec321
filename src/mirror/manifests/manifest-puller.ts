import type { PulledManifest, ToldManifest } from '../../repository/pulled-manifest.ts';
import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';
import type { ManifestIndex } from '../../index/manifest-index.ts';
import type { BlobIndex } from '../../index/blob-index.ts';
import type { BelongingIndex } from '../../index/belonging-index.ts';
import type { Digest } from '../../oci/digest.ts';
import { readManifest } from '../../content/manifest-files.ts';
import { manifestEdges, type Manifest as ParsedManifest } from '../../oci/manifest.ts';
import type { BlobStore } from '../../store/blob-store.ts';
import type { FetchedManifest, ResolvedManifest } from '../../upstream/upstream.ts';
import type { DiskHealth } from '../disk-health.ts';
import { Flights, type Boarding } from '../../async/flights.ts';
import { Questions } from '../questions.ts';
import type { LastUse } from '../last-use.ts';
import { refusalKey, type NegativeCache } from '../negative-cache.ts';
import { ManifestMemory } from '../../content/manifest-memory.ts';
import type { Belonging } from '../permission/belonging.ts';
import type { Permission } from '../permission/permission.ts';
import { isRefusal } from '../refusal.ts';
import type { StoredManifest } from '../../content/stored-manifest.ts';
import type { StoredBlobs } from '../../content/stored-blobs.ts';
import { ManifestKeeper } from './manifest-keeper.ts';
import type { Target } from '../target.ts';
import { tolerate } from '../../tolerate.ts';

export interface ManifestPullerOptions {
  readonly store: BlobStore;
  readonly index: BlobIndex & ManifestIndex & BelongingIndex;
  readonly belonging: Belonging;
  readonly permission: Permission;
  readonly stored: StoredBlobs;
  readonly lastUse: LastUse;
  readonly negative: NegativeCache;
  readonly disk: DiskHealth;
  readonly clock: Clock;
  readonly events: Events;
  /** Bytes of manifests kept in memory. */
  readonly memoryBytes: number;
}

/**
 * Greatest number of a digest's repositories that are looked at, to find one whose upstream has given the manifest in
 * memory.
 */
const MAX_REPOSITORIES = 5;

/** Pulls manifests by digest: from memory, from disk, from upstream, in this order. */
export class ManifestPuller {
  readonly #memory: ManifestMemory;
  readonly #fetches: Questions<StoredManifest>;
  readonly #options: ManifestPullerOptions;
  readonly #heads: Flights<ResolvedManifest | undefined>;
  readonly #keeper: ManifestKeeper;
  /**
   * Number of changes: digests were forgotten, or the disk lost one. Bytes that were read before a change are not kept
   * after it.
   */
  #changes = 0;

  constructor(options: ManifestPullerOptions) {
    this.#options = options;
    this.#keeper = new ManifestKeeper(options);
    this.#fetches = new Questions(options.negative, options.clock);
    this.#heads = new Flights(options.clock);
    this.#memory = new ManifestMemory(options.memoryBytes);
  }

  /**
   * Pulls a manifest by its digest.
   * @throws UpstreamError if upstream refuses or cannot be asked, and nothing that may be served is cached
   */
  async pull(target: Target, digest: Digest): Promise<PulledManifest> {
    const { permission, lastUse } = this.#options;
    const { registry: upstream } = target.key;
    const local = await this.local(upstream, digest);
    if (local !== undefined) {
      const content = { kind: 'manifest', digest, size: local.bytes.length } as const;
      const outcome = await permission.ask(target, content);
      if (outcome !== 'fetch') {
        lastUse.record(digest);
        this.#keeper.writeMissing(target, local);
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

  /**
   * Asks upstream by HEAD about a manifest that is not cached: a client that only looks at it must not cost a pull.
   * @returns undefined if the manifest is cached, or HEAD does not tell all that a client wants to know
   * @throws UpstreamError if upstream cannot be asked, or has lately refused
   */
  async head(target: Target, digest: Digest): Promise<ToldManifest | undefined> {
    const { upstream, key } = target;
    if ((await this.local(key.registry, digest)) !== undefined) return undefined;
    const name = refusalKey('manifest', key, digest);
    const known = this.#options.negative.get(name);
    if (known !== undefined) throw known;
    const ask = () => upstream.resolve(key.repository, { kind: 'digest', digest });
    try {
      return completeHead(await this.#heads.join(name, ask).promise);
    } catch (error) {
      // A refused HEAD answers nothing yet: GET must answer.
      if (isRefusal(error)) return undefined;
      throw error;
    }
  }

  /** Returns the manifest from memory or disk as the upstream gives it, no matter which repository it belongs to. */
  async local(upstream: string, digest: Digest): Promise<StoredManifest | undefined> {
    return this.#memory.get(upstream, digest) ?? (await this.#fromDisk(upstream, digest));
  }

  /** Returns a cached manifest that is known to be the repository's, so that upstream need not be asked. */
  async cached(target: Target, digest: Digest): Promise<StoredManifest | undefined> {
    const { key } = target;
    if (!(await this.#options.belonging.has(key, digest))) return undefined;
    return this.local(key.registry, digest);
  }

  /** Does what `pull` does without I/O, if the manifest is in memory and known to be the repository's. */
  pullNow(target: Target, digest: Digest): StoredManifest | undefined {
    const manifest = this.#memory.get(target.key.registry, digest);
    if (manifest === undefined) return undefined;
    if (!this.#options.permission.isServedNow(target.key, digest)) return undefined;
    this.#keeper.writeMissing(target, manifest);
    return manifest;
  }

  /** Forgets digests that must not be served from memory any more. */
  forget(digests: Iterable<Digest>): void {
    this.#changes += 1;
    for (const digest of digests) {
      this.#memory.delete(digest);
      this.#keeper.forget(digest);
    }
  }

  /** Must be called when a digest's bytes have gone from the disk: a copy in memory is served, and stored again. */
  lost(digest: Digest): void {
    this.#changes += 1;
    if (this.#memory.has(digest)) this.#keeper.lost(digest);
  }

  /**
   * Must be called when the disk has lost bytes that it should keep: a copy in memory is stored at once. Never rejects.
   */
  async restore(digest: Digest): Promise<void> {
    this.lost(digest);
    if (!this.#keeper.isMissing(digest)) return;
    await tolerate(this.#options.events, 'store a manifest again', () => this.#store(digest));
  }

  /**
   * Stores a manifest, and the manifests that it refers to, if they are in memory and missing on the disk.
   * @throws IndexError
   */
  async storeMissing(digest: Digest): Promise<void> {
    const { index } = this.#options;
    const tried = new Set<Digest>();
    // The index knows what a manifest refers to only once it is stored.
    for (let before = -1; before < tried.size;) {
      before = tried.size;
      const parts = (await index.closure(digest)).filter((part) => this.#keeper.isMissing(part));
      for (const part of parts) {
        if (!tried.has(part)) await this.#store(part);
        tried.add(part);
      }
    }
  }

  /** Stores a manifest from memory, for one of its repositories. */
  async #store(digest: Digest): Promise<void> {
    for (const key of await this.#options.index.repositoriesOf(digest, MAX_REPOSITORIES)) {
      const manifest = this.#memory.get(key.registry, digest);
      if (manifest !== undefined) return void (await this.#keeper.write({ key }, manifest));
    }
  }

  /** Resolves when all running writes have ended. */
  close(): Promise<void> {
    return this.#keeper.close();
  }

  /**
   * Takes in a manifest that an upstream has sent for the repository: on disk, in the index and in memory. A manifest
   * without a verifiable digest (schema 1) is handed through and not kept.
   */
  async take(target: Target, fetched: FetchedManifest): Promise<StoredManifest> {
    const { digest, mediaType, bytes } = fetched;
    const manifest: StoredManifest = { digest, mediaType, bytes };
    if (!fetched.verified) return manifest;
    const parsed = fetched.content;
    await this.#keeper.write(target, manifest, parsed);
    await this.#options.belonging.add(target.key, digest, 'given');
    this.#disproveParts(target, parsed);
    this.#memory.set(target.key.registry, manifest);
    this.#options.lastUse.record(digest);
    return manifest;
  }

  /** Forgets refusals of what the manifest names: a registry takes a manifest only if it has all that. */
  #disproveParts({ key }: Target, parsed: ParsedManifest): void {
    for (const { digest } of manifestEdges(parsed)) this.#options.negative.disprove(key, digest);
  }

  #fetch(target: Target, digest: Digest): Boarding<StoredManifest> {
    const { upstream, key } = target;
    return this.#fetches.ask({
      name: refusalKey('manifest', key, digest),
      about: { key, digest },
      ask: async () => this.take(target, await upstream.manifest(key.repository, { kind: 'digest', digest })),
      onFailed: (error, mark) => this.#options.permission.refused(key, digest, error, mark),
    });
  }

  async #fromDisk(upstream: string, digest: Digest): Promise<StoredManifest | undefined> {
    return tolerate(this.#options.events, 'read a manifest', async () => {
      const changes = this.#changes;
      const manifest = await readManifest(this.#options, upstream, digest);
      if (manifest === undefined) return undefined;
      if (changes === this.#changes) this.#memory.set(upstream, manifest);
      return manifest;
    });
  }
}

/** Returns upstream's headers if a client's HEAD can be answered from them; else undefined. */
export function completeHead(head: ResolvedManifest | undefined): ToldManifest | undefined {
  const { digest, mediaType, size } = head ?? {};
  if (digest === undefined || mediaType === undefined || size === undefined) return undefined;
  return { digest, mediaType, size };
}
