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
import type { Disk } from '../disk.ts';
import { Flights, type Boarding } from '../../async/flights.ts';
import { Questions } from '../questions.ts';
import type { LastUse } from '../last-use.ts';
import { refusalKey, type NegativeCache } from '../negative.ts';
import { ManifestMemory } from '../../content/manifest-memory.ts';
import type { Belonging } from '../permission/belonging.ts';
import type { Permission } from '../permission/permission.ts';
import { isRefusal } from '../refusal.ts';
import type { StoredManifest } from '../../content/stored-manifest.ts';
import type { StoredBlobs } from '../../content/stored-blobs.ts';
import { ManifestKeeper } from './manifest-keeper.ts';
import type { Target } from '../target.ts';
import { tolerate } from '../../content/tolerate.ts';

export interface ManifestPullerOptions {
  readonly store: BlobStore;
  readonly index: BlobIndex & ManifestIndex & BelongingIndex;
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

/** So many of a digest's repositories are looked at for one whose upstream has given what is in memory. */
const MAX_REPOSITORIES = 5;

/** Manifests by digest: from memory, from disk, from upstream, in this order. */
export class ManifestPuller {
  readonly #memory: ManifestMemory;
  readonly #fetches: Questions<StoredManifest>;
  readonly #options: ManifestPullerOptions;
  readonly #heads: Flights<ResolvedManifest | undefined>;
  readonly #files: ManifestKeeper;
  /** How often something was forgotten, or lost by the disk: what was read before is not kept after it. */
  #changes = 0;

  constructor(options: ManifestPullerOptions) {
    this.#options = options;
    this.#files = new ManifestKeeper(options);
    this.#fetches = new Questions(options.negative, options.clock);
    this.#heads = new Flights(options.clock);
    this.#memory = new ManifestMemory(options.memoryBytes);
  }

  /**
   * @throws UpstreamError where upstream says no or cannot be asked, and nothing that may be served is cached
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
        this.#files.writeMissing(target, local);
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
   * What upstream's HEAD tells of a manifest that is not here: to look at one must not cost a pull.
   * @returns undefined where it is here, or HEAD does not tell all that a client wants to know
   * @throws UpstreamError where upstream cannot be asked, or has lately said no
   */
  async head(target: Target, digest: Digest): Promise<ToldManifest | undefined> {
    const { upstream, key } = target;
    if ((await this.local(key.registry, digest)) !== undefined) return undefined;
    const name = refusalKey('manifest', key, digest);
    const known = this.#options.negative.get(name);
    if (known !== undefined) throw known;
    const ask = () => upstream.resolve(key.repository, { kind: 'digest', digest });
    try {
      return completed(await this.#heads.join(name, ask).promise);
    } catch (error) {
      // A HEAD that is refused is a question not answered: GET is to answer it.
      if (isRefusal(error)) return undefined;
      throw error;
    }
  }

  /** The manifest from memory or disk as the upstream gives it, whichever repository it belongs to. */
  async local(upstream: string, digest: Digest): Promise<StoredManifest | undefined> {
    return this.#memory.get(upstream, digest) ?? (await this.#fromDisk(upstream, digest));
  }

  /** A manifest that is here and known to be the repository's: it is served without asking upstream. */
  async cached(target: Target, digest: Digest): Promise<StoredManifest | undefined> {
    const { key } = target;
    if (!(await this.#options.belonging.has(key, digest))) return undefined;
    return this.local(key.registry, digest);
  }

  /** What `pull` gives of a manifest that may be served as it is: in memory, and known to be the repository's. */
  pullNow(target: Target, digest: Digest): StoredManifest | undefined {
    const manifest = this.#memory.get(target.key.registry, digest);
    if (manifest === undefined) return undefined;
    if (!this.#options.permission.isServedNow(target.key, digest)) return undefined;
    this.#files.writeMissing(target, manifest);
    return manifest;
  }

  /** Forgets what is in memory of digests that are not to be had from it any more. */
  forget(digests: Iterable<Digest>): void {
    this.#changes += 1;
    for (const digest of digests) {
      this.#memory.delete(digest);
      this.#files.forget(digest);
    }
  }

  /** To be called when the bytes of a digest have gone from the disk: what is in memory is served, and stored again. */
  lost(digest: Digest): void {
    this.#changes += 1;
    if (this.#memory.has(digest)) this.#files.lost(digest);
  }

  /** To be called when the disk has lost what it was to keep: what is in memory is stored again. Never rejects. */
  async restore(digest: Digest): Promise<void> {
    this.lost(digest);
    if (!this.#files.isMissing(digest)) return;
    await tolerate(this.#options.events, 'store a manifest again', () => this.#store(digest));
  }

  /**
   * Stores what is in memory of a manifest and of those that it refers to, and the disk has not.
   * @throws IndexError
   */
  async storeMissing(digest: Digest): Promise<void> {
    const { index } = this.#options;
    const tried = new Set<Digest>();
    // What one refers to is known once that is stored.
    for (let before = -1; before < tried.size;) {
      before = tried.size;
      const parts = (await index.closure(digest)).filter((part) => this.#files.isMissing(part));
      for (const part of parts) {
        if (!tried.has(part)) await this.#store(part);
        tried.add(part);
      }
    }
  }

  /** For one of its repositories. */
  async #store(digest: Digest): Promise<void> {
    for (const key of await this.#options.index.repositoriesOf(digest, MAX_REPOSITORIES)) {
      const manifest = this.#memory.get(key.registry, digest);
      if (manifest !== undefined) return void (await this.#files.write({ key }, manifest));
    }
  }

  /** Resolves when what is being written is on the disk. */
  close(): Promise<void> {
    return this.#files.close();
  }

  /**
   * Takes in what an upstream has sent for the repository: on disk, in the index and in memory. What has no
   * verifiable digest (schema 1) is handed through and not kept.
   */
  async take(target: Target, fetched: FetchedManifest): Promise<StoredManifest> {
    const { digest, mediaType, bytes } = fetched;
    const manifest: StoredManifest = { digest, mediaType, bytes };
    if (!fetched.verified) return manifest;
    const parsed = fetched.content;
    await this.#files.write(target, manifest, parsed);
    await this.#options.belonging.add(target.key, digest, 'given');
    this.#disproveParts(target, parsed);
    this.#memory.set(target.key.registry, manifest);
    this.#options.lastUse.record(digest);
    return manifest;
  }

  /** A registry takes a manifest only when it has what that names: what was refused before has been pushed meanwhile. */
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

/** What upstream's HEAD told, where a client's HEAD can be answered from it. */
export function completed(told: ResolvedManifest | undefined): ToldManifest | undefined {
  const { digest, mediaType, size } = told ?? {};
  if (digest === undefined || mediaType === undefined || size === undefined) return undefined;
  return { digest, mediaType, size };
}
