import type { RangeSpec } from '../http/range.ts';
import type { RepositoryKey } from '../index/repository-key.ts';
import type { Digest } from '../oci/digest.ts';
import { isIndexMediaType } from '../oci/media-type.ts';
import type { Reference } from '../oci/reference.ts';
import type { Tag } from '../oci/tag.ts';
import type { Parser } from '../upstream/registry/parsing/parser.ts';
import type { FillRoom } from './fill/allowance.ts';
import type { OpenedBlob } from '../repository/opened-blob.ts';
import { BlobPuller, type BlobStat } from './blobs/blob-puller.ts';
import { catalogPage, type CatalogPage } from '../content/catalog.ts';
import { Disk, type DiskOptions } from './disk.ts';
import { LastUse } from './last-use.ts';
import { LinuxImages } from './manifests/linux-image.ts';
import { headOf, type ManifestHead } from '../repository/pulled-manifest.ts';
import type { ManifestPreference } from '../repository/manifest-preference.ts';
import { completed, ManifestPuller } from './manifests/manifest-puller.ts';
import type { PulledManifest } from '../repository/pulled-manifest.ts';
import { NegativeCache } from './negative.ts';
import { HIT, joined } from '../repository/outcome.ts';
import { Belonging } from './permission/belonging.ts';
import { EarlyConfirmation } from './permission/early.ts';
import { Permission } from './permission/permission.ts';
import type { RecoveredPolicy } from './permission/permission-policy.ts';
import { probe } from '../content/probe.ts';
import type { RememberingIndex } from '../index/remembering-index.ts';
import { ReferrerLists, type ReferrersPage } from './lists/referrer-lists.ts';
import { SmallBlobs } from '../content/small-blobs.ts';
import { StoredBlobs } from '../content/stored-blobs.ts';
import type { ListQuery } from '../oci/tag-names.ts';
import { TagLists, type ListPage } from './lists/tag-lists.ts';
import { TagResolver, type Resolution } from './tags/tag-resolver.ts';
import type { Target } from './target.ts';

export interface MirrorOptions extends DiskOptions {
  /** Through which everybody changes it. */
  readonly index: RememberingIndex;
  readonly negativeTtlMs: number;
  /** How much a blob on its way may write. Absent: there is always room. */
  readonly room?: FillRoom | undefined;
  /** Bytes of manifests kept in memory. */
  readonly manifestMemoryBytes: number;
  /** Bytes of small blobs kept in memory; 0: none. */
  readonly blobMemoryBytes: number;
  readonly recovered: RecoveredPolicy;
  /** Absent: documents are read in this thread. */
  readonly parser?: Parser;
}

/** The whole of the domain: the answers to a registry client's questions, from the cache and from upstream. */
export class Mirror {
  readonly #options: MirrorOptions;
  readonly #disk: Disk;
  readonly #lastUse: LastUse;
  readonly #belonging: Belonging;
  readonly #permission: Permission;
  #early: EarlyConfirmation | undefined;
  readonly #stored: StoredBlobs;
  readonly #small: SmallBlobs;
  readonly #manifests: ManifestPuller;
  readonly #linuxImages: LinuxImages;
  readonly #tags: TagResolver;
  readonly #blobs: BlobPuller;
  readonly #tagLists: TagLists;
  readonly #referrerLists: ReferrerLists;

  constructor(options: MirrorOptions) {
    const { index, clock, events, negativeTtlMs } = options;
    const negative = new NegativeCache(clock, negativeTtlMs);
    this.#options = options;
    this.#belonging = new Belonging(index, events, negative, (upstream) => this.#early?.wake(upstream));
    this.#stored = new StoredBlobs({ ...options, onSetAside: (digest) => this.lost(digest) });
    this.#small = new SmallBlobs({ stored: this.#stored, events, memoryBytes: options.blobMemoryBytes });
    this.#lastUse = new LastUse(index, clock, events);
    this.#disk = new Disk(options);
    const parts = {
      disk: this.#disk,
      belonging: this.#belonging,
      stored: this.#stored,
      lastUse: this.#lastUse,
    };
    const permission = new Permission({ ...options, ...parts, negative });
    this.#permission = permission;
    const shared = { ...options, ...parts, negative, permission };
    this.#manifests = new ManifestPuller({ ...shared, memoryBytes: options.manifestMemoryBytes });
    this.#linuxImages = new LinuxImages(() => clock.monotonic(), options.parser);
    this.#tags = new TagResolver({ ...shared, manifests: this.#manifests });
    this.#blobs = new BlobPuller({ ...shared, small: this.#small });
    this.#tagLists = new TagLists(options);
    this.#referrerLists = new ReferrerLists({
      ...options,
      manifests: this.#manifests,
      ttlMs: negativeTtlMs,
    });
  }

  /** Running fills, by upstream and digest. */
  get fills(): BlobPuller['fills'] {
    return this.#blobs.fills;
  }

  /** Whether the cache can be written to. */
  get disk(): Pick<Disk, 'error' | 'state'> {
    return this.#disk;
  }

  /**
   * What `manifest` gives, where that takes neither I/O nor waiting: within its time to live, from memory.
   * @param preference is asked for only where something depends on it
   * @returns undefined where it takes more: then `manifest` is to be asked
   */
  manifestNow(
    target: Target,
    reference: Reference,
    preference: () => ManifestPreference,
  ): PulledManifest | undefined {
    const isTag = reference.kind === 'tag';
    const resolution = isTag
      ? this.#tags.resolveNow(target, reference.tag)
      : { digest: reference.digest, outcome: HIT };
    if (resolution === undefined) return undefined;
    const { digest, outcome } = resolution;
    const manifest = this.#manifests.pullNow(target, digest);
    if (manifest === undefined) return undefined;
    if (isTag && isIndexMediaType(manifest.mediaType) && preference().wantsSingleImage) return undefined;
    this.#lastUse.record(digest);
    return { manifest, outcome };
  }

  /** @throws UpstreamError, or RegistryError MANIFEST_UNKNOWN where an index has no linux/amd64 child */
  async manifest(
    target: Target,
    reference: Reference,
    preference: ManifestPreference,
  ): Promise<PulledManifest> {
    if (reference.kind === 'digest') return this.#manifests.pull(target, reference.digest);
    const { tag } = reference;
    return this.#pullTagged(target, tag, await this.#tags.resolve(target, tag), preference);
  }

  /**
   * The manifest's headers. Where upstream's own HEAD has told them, a manifest that is not here is not fetched:
   * a client that only looks for a new version must not cost a pull.
   * @throws as `manifest` does
   */
  async manifestHead(
    target: Target,
    reference: Reference,
    preference: ManifestPreference,
  ): Promise<ManifestHead> {
    if (reference.kind === 'digest') return this.#digestHead(target, reference.digest);
    const { tag } = reference;
    const resolution = await this.#tags.resolve(target, tag);
    const { digest, outcome } = resolution;
    const told = completed(resolution.head);
    const isTold = told !== undefined && preference.accepts(told.mediaType);
    // What is here has been verified, and upstream's word has not.
    if (isTold && (await this.#manifests.local(target.key.registry, digest)) === undefined) {
      // A client that asks whether there is a new version has the image in use.
      this.#lastUse.record(digest);
      return { ...told, outcome };
    }
    return headOf(await this.#pullTagged(target, tag, resolution, preference));
  }

  async #digestHead(target: Target, digest: Digest): Promise<ManifestHead> {
    const told = await this.#manifests.head(target, digest);
    if (told !== undefined) return { ...told, outcome: { hit: false, fwd: 'uri-miss' } };
    return headOf(await this.#manifests.pull(target, digest));
  }

  /**
   * @param client an opaque key of the client that asks: turns at an upstream are dealt out fairly among clients
   * @throws UpstreamError
   */
  blob(
    target: Target,
    digest: Digest,
    range: RangeSpec | undefined,
    client: string = '',
  ): Promise<OpenedBlob> {
    return this.#blobs.open(target, digest, { range, client });
  }

  /** @throws UpstreamError */
  blobHead(target: Target, digest: Digest, client: string = ''): Promise<BlobStat> {
    return this.#blobs.stat(target, digest, client);
  }

  /** @throws UpstreamError */
  tags(target: Target, query: ListQuery): Promise<ListPage> {
    return this.#tagLists.list(target, query);
  }

  /** @throws UpstreamError */
  referrers(target: Target, subject: Digest): Promise<ReferrersPage> {
    return this.#referrerLists.list(target, subject);
  }

  /** What is cached and may be shown: `upstream/repository`. Never asks an upstream. */
  catalog(query: ListQuery, isShown: (path: string) => boolean): Promise<CatalogPage> {
    return catalogPage(this.#options.index, query, isShown);
  }

  /**
   * Sets bytes aside that are wrong or unreadable, so that the next pull has them from upstream.
   * @throws StoreError, IndexError
   */
  setAside(digest: Digest, error: Error): Promise<void> {
    return this.#stored.setAside(digest, error);
  }

  /**
   * To be called when bytes were evicted. A manifest is served from memory as long as it is there, and stored again
   * when it is; a blob is not, since its HEAD would be answered from upstream, and it would never be stored again.
   */
  evicted(digest: Digest): void {
    this.#manifests.lost(digest);
    this.#small.forget([digest]);
  }

  /**
   * To be called when bytes have gone that were to stay. Of a manifest, what memory has is stored again at once; of a
   * blob it is forgotten, for the same reason as after an eviction. Never rejects.
   */
  async lost(digest: Digest): Promise<void> {
    this.#small.forget([digest]);
    await this.#manifests.restore(digest);
  }

  /**
   * Stores what only memory has of a manifest and of those that it refers to.
   * @throws IndexError
   */
  storeMissing(digest: Digest): Promise<void> {
    return this.#manifests.storeMissing(digest);
  }

  /**
   * To be called when something was taken from a repository, or deleted from the index.
   * @param digests those that no repository has any longer: what is in memory of others is theirs
   */
  forget(digests: Iterable<Digest>): void {
    this.#manifests.forget(digests);
    this.#small.forget(digests);
    this.#belonging.forget();
    this.#tagLists.forget();
    this.#referrerLists.forget();
  }

  /** Whether a by-tag read can be served: what readiness means. @throws where the index cannot answer */
  async probe(): Promise<void> {
    await probe(this.#options.index);
  }

  /** Whether tags of the upstream are served as they are known, since it did not confirm one in time a moment ago. */
  isSlow(upstream: string): boolean {
    return this.#tags.isSlow(upstream);
  }

  /** Writes down what was used, which is only in memory for some seconds. */
  flushUses(): Promise<void> {
    return this.#lastUse.flush();
  }

  /**
   * Begins to have claims confirmed in the background; those that an earlier run has left, too.
   * @param upstreams their names
   * @param findTarget where a repository is asked; undefined where the config does not have it (any more)
   */
  confirmEarly(upstreams: readonly string[], findTarget: (key: RepositoryKey) => Target | undefined): void {
    this.#early = new EarlyConfirmation({ ...this.#options, permission: this.#permission, findTarget });
    for (const upstream of upstreams) this.#early.wake(upstream);
  }

  /** Ends running fills and writes down what is only in memory. */
  async close(): Promise<void> {
    await this.#early?.close();
    await this.#blobs.close();
    await this.#manifests.close();
    await this.#disk.close();
    await this.#lastUse.flush();
  }

  async #pullTagged(
    target: Target,
    tag: Tag,
    resolution: Resolution,
    preference: ManifestPreference,
  ): Promise<PulledManifest> {
    const pulled = await this.#tags.pull(target, tag, resolution);
    if (!preference.wantsSingleImage || !isIndexMediaType(pulled.manifest.mediaType)) return pulled;
    const child = await this.#linuxImages.child(target, pulled.manifest);
    const { manifest, outcome } = await this.#manifests.pull(target, child);
    return { manifest, outcome: joined(pulled.outcome, outcome) };
  }
}
