import type { RepositoryKey } from '../index/repository-key.ts';
import type { RememberingIndex } from '../index/decorators/remembering-index.ts';
import { catalogPage, type CatalogPage } from '../content/catalog.ts';
import { probe } from '../content/probe.ts';
import { SmallBlobs } from '../content/small-blobs.ts';
import { StoredBlobs } from '../content/stored-blobs.ts';
import type { Digest } from '../oci/digest.ts';
import type { ListQuery } from '../oci/tag-names.ts';
import type { Repository } from '../repository/repository.ts';
import type { Parser } from '../upstream/registry/parsing/parser.ts';
import { BlobPuller } from './blobs/blob-puller.ts';
import { DiskHealth, type DiskHealthOptions } from './disk-health.ts';
import type { FillRoom } from './fill/allowance.ts';
import { LastUse } from './last-use.ts';
import { ReferrerLists } from './lists/referrer-lists.ts';
import { TagLists } from './lists/tag-lists.ts';
import { LinuxImages } from './manifests/linux-image.ts';
import { ManifestPuller } from './manifests/manifest-puller.ts';
import { MirroredRepository, type MirrorParts } from './mirrored-repository.ts';
import { NegativeCache } from './negative-cache.ts';
import { Belonging } from './permission/belonging.ts';
import { EarlyConfirmation } from './permission/early-confirmation.ts';
import type { RecoveredPolicy } from './permission/permission-policy.ts';
import { Permission } from './permission/permission.ts';
import { TagResolver } from './tags/tag-resolver.ts';
import type { Target } from './target.ts';

export interface MirrorOptions extends DiskHealthOptions {
  /** The one view of the index, through which every part of Larder changes it. */
  readonly index: RememberingIndex;
  readonly negativeTtlMs: number;
  /** How much a running fill may write. Absent: there is always room. */
  readonly room?: FillRoom | undefined;
  /** Bytes of manifests kept in memory. */
  readonly manifestMemoryBytes: number;
  /** Bytes of small blobs kept in memory; 0: none. */
  readonly blobMemoryBytes: number;
  readonly recovered: RecoveredPolicy;
  /** Absent: documents are read in this thread. */
  readonly parser?: Parser;
}

/** The repositories of all upstreams, and what they share: the cache, the running requests and upstreams' answers. */
export class Mirror {
  readonly #options: MirrorOptions;
  readonly #disk: DiskHealth;
  readonly #belonging: Belonging;
  readonly #negative: NegativeCache;
  readonly #permission: Permission;
  #early: EarlyConfirmation | undefined;
  readonly #stored: StoredBlobs;
  readonly #small: SmallBlobs;
  readonly #parts: MirrorParts;

  constructor(options: MirrorOptions) {
    const { index, clock, events, negativeTtlMs } = options;
    const negative = new NegativeCache(clock, negativeTtlMs);
    this.#options = options;
    this.#negative = negative;
    this.#belonging = new Belonging(index, events, negative, (upstream) => this.#early?.wake(upstream));
    this.#stored = new StoredBlobs({ ...options, onSetAside: (digest) => this.lost(digest) });
    this.#small = new SmallBlobs({ stored: this.#stored, memoryBytes: options.blobMemoryBytes });
    this.#disk = new DiskHealth(options);
    const lastUse = new LastUse(index, clock, events);
    const parts = { disk: this.#disk, belonging: this.#belonging, stored: this.#stored, lastUse };
    const permission = new Permission({ ...options, ...parts, negative });
    this.#permission = permission;
    const shared = { ...options, ...parts, negative, permission };
    const manifests = new ManifestPuller({ ...shared, memoryBytes: options.manifestMemoryBytes });
    this.#parts = {
      lastUse,
      manifests,
      tags: new TagResolver({ ...shared, manifests }),
      blobs: new BlobPuller({ ...shared, small: this.#small }),
      tagLists: new TagLists(options),
      referrerLists: new ReferrerLists({ ...options, manifests, ttlMs: negativeTtlMs }),
      linuxImages: new LinuxImages(() => clock.monotonic(), options.parser),
    };
  }

  /** Running fills, by upstream and digest. */
  get fills(): BlobPuller['fills'] {
    return this.#parts.blobs.fills;
  }

  /** Whether the cache can be written to. */
  get disk(): Pick<DiskHealth, 'error' | 'state'> {
    return this.#disk;
  }

  /** Returns a repository of an upstream. */
  repository(target: Target): Repository {
    return new MirroredRepository(target, this.#parts);
  }

  /** Lists the cached repositories that may be shown, each as `upstream/repository`. Never asks an upstream. */
  catalog(query: ListQuery, isShown: (path: string) => boolean): Promise<CatalogPage> {
    return catalogPage(this.#options.index, query, isShown);
  }

  /**
   * Sets wrong or unreadable bytes aside, so that the next pull fetches them from upstream.
   * @throws StoreError, IndexError
   */
  setAside(digest: Digest, error: Error): Promise<void> {
    return this.#stored.setAside(digest, error);
  }

  /**
   * Must be called when bytes were evicted. A manifest is still served from memory, and that stores it again. A small
   * blob is forgotten: otherwise each HEAD of it would go to upstream, while each GET would be served from memory, so
   * that it would never be stored again.
   */
  evicted(digest: Digest): void {
    this.#parts.manifests.lost(digest);
    this.#small.forget([digest]);
  }

  /**
   * Must be called when the store has lost bytes that it should keep. A manifest in memory is stored again at once; a
   * small blob is forgotten, for the same reason as after an eviction. Never rejects.
   */
  async lost(digest: Digest): Promise<void> {
    this.#small.forget([digest]);
    await this.#parts.manifests.restore(digest);
  }

  /**
   * Stores a manifest, and the manifests that it refers to, if only memory has them.
   * @throws IndexError
   */
  storeMissing(digest: Digest): Promise<void> {
    return this.#parts.manifests.storeMissing(digest);
  }

  /**
   * Must be called when content was taken from a repository, or deleted from the index.
   * @param digests the digests that no repository has any longer; all others stay in memory
   */
  forget(digests: Iterable<Digest>): void {
    this.#parts.manifests.forget(digests);
    this.#small.forget(digests);
    this.#belonging.forget();
    this.#parts.tagLists.forget();
    this.#parts.referrerLists.forget();
  }

  /** Must be called when a repository has got content by a bundle: refusals and lists from before are out of date. */
  imported(key: RepositoryKey, digests: readonly Digest[]): void {
    for (const digest of digests) this.#negative.disprove(key, digest);
    this.#parts.tagLists.forget();
    this.#parts.referrerLists.forget();
  }

  /** Checks that a read by tag can be served, which is what readiness means. @throws IndexError if the index fails */
  async probe(): Promise<void> {
    await probe(this.#options.index);
  }

  /** Whether the upstream's tags are served as cached, since it lately failed to confirm one in time. */
  isSlow(upstream: string): boolean {
    return this.#parts.tags.isSlow(upstream);
  }

  /** Writes the times of last use to the index; they are in memory alone for some seconds. */
  flushUses(): Promise<void> {
    return this.#parts.lastUse.flush();
  }

  /**
   * Begins to have claims confirmed in the background, including the claims that an earlier run has left.
   * @param upstreams the upstreams' names
   * @param findTarget returns where a repository is asked; undefined if the config does not have it (any more)
   */
  confirmEarly(upstreams: readonly string[], findTarget: (key: RepositoryKey) => Target | undefined): void {
    this.#early = new EarlyConfirmation({ ...this.#options, permission: this.#permission, findTarget });
    for (const upstream of upstreams) this.#early.wake(upstream);
  }

  /** Ends running fills, and writes down what only memory has. */
  async close(): Promise<void> {
    await this.#early?.close();
    await this.#parts.blobs.close();
    await this.#parts.manifests.close();
    await this.#disk.close();
    await this.#parts.lastUse.flush();
  }
}
