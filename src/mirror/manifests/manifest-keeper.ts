import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';
import type { BlobIndex } from '../../index/blob-index.ts';
import type { ManifestIndex } from '../../index/manifest-index.ts';
import type { Digest } from '../../oci/digest.ts';
import { parseManifest, type Manifest as ParsedManifest } from '../../oci/manifest.ts';
import { plainContent } from '../../oci/plain-content.ts';
import type { BlobStore } from '../../store/blob-store.ts';
import { isDiskError, type DiskHealth } from '../disk-health.ts';
import { flightKey } from '../../async/flights.ts';
import type { StoredManifest } from '../../content/stored-manifest.ts';
import { writeManifest } from '../../content/manifest-files.ts';
import type { Target } from '../target.ts';

export interface ManifestKeeperOptions {
  readonly store: BlobStore;
  readonly index: BlobIndex & ManifestIndex;
  readonly disk: DiskHealth;
  readonly clock: Clock;
  readonly events: Events;
}

/** The repository that a manifest is recorded for, and what is known of its registry. */
type ManifestOwner = Pick<Target, 'key'> & Partial<Pick<Target, 'permission'>>;

/** Greatest number of missing manifests. Memory holds fewer: each of its entries takes a KiB. */
const MAX_MISSING = 65_536;

/** Greatest number of manifests written at a time because of hits. The others come to their turn at a later hit. */
const MAX_WRITING = 4;

/** Time after a failed write during which a hit causes no further write. */
const REST_MS = 5_000;

/**
 * Writes manifests to disk, and knows which manifests in memory are missing on the disk: their first write may have
 * failed, or they were evicted although they are in demand. If such a manifest were not written again, it would be
 * served from memory until the process ends, and then be lost, while all its layers are on the disk.
 */
export class ManifestKeeper {
  readonly #missing = new LRUCache<Digest, true>({ max: MAX_MISSING });
  readonly #writing = new Map<string, Promise<boolean>>();
  readonly #options: ManifestKeeperOptions;
  #restsUntil = -Infinity;

  constructor(options: ManifestKeeperOptions) {
    this.#options = options;
  }

  /** Whether a manifest in memory is known to be missing on the disk. */
  isMissing(digest: Digest): boolean {
    return this.#missing.size > 0 && this.#missing.has(digest);
  }

  /** Must be called when the disk has lost a manifest that is in memory. */
  lost(digest: Digest): void {
    this.#missing.set(digest, true);
  }

  /** Forgets a manifest that must not be stored any more. */
  forget(digest: Digest): void {
    this.#missing.delete(digest);
  }

  /** Writes a missing manifest in the background, unless a write has just failed. Must be called at each use. */
  writeMissing(target: ManifestOwner, manifest: StoredManifest): void {
    if (!this.isMissing(manifest.digest) || this.#writing.size >= MAX_WRITING) return;
    if (this.#options.clock.monotonic() >= this.#restsUntil) void this.write(target, manifest);
  }

  /**
   * Stores and records the manifest of a repository, if the disk allows it.
   * @param parsed the parsed manifest, if the caller has it
   * @returns whether it is stored
   */
  write(owner: ManifestOwner, manifest: StoredManifest, parsed?: ParsedManifest): Promise<boolean> {
    const { key } = owner;
    // Each repository has its own record, with the media type that its upstream has given.
    const name = flightKey(key.registry, key.repository, manifest.digest);
    const running = this.#writing.get(name);
    if (running !== undefined) return running;
    const write = this.#write(owner, manifest, parsed).finally(() => this.#writing.delete(name));
    this.#writing.set(name, write);
    return write;
  }

  /** Resolves when nothing is being written. */
  async close(): Promise<void> {
    await Promise.all(this.#writing.values());
  }

  async #write(
    { key, permission }: ManifestOwner,
    manifest: StoredManifest,
    parsed?: ParsedManifest,
  ): Promise<boolean> {
    const { disk, events, clock } = this.#options;
    const { digest, bytes } = manifest;
    // Before the write, so that an eviction meanwhile makes the manifest missing again.
    this.#missing.delete(digest);
    if (disk.error === undefined) {
      try {
        const content = parsed ?? parseManifest(bytes, manifest.mediaType);
        const vouched = permission?.checksReferences === true ? plainContent(content, bytes) : undefined;
        await writeManifest(this.#options, key, manifest, content, vouched);
        return true;
      } catch (error) {
        if (isDiskError(error)) disk.failed(error, bytes.length);
        events.emit({ kind: 'store-failed', operation: 'store a manifest', error });
        this.#restsUntil = clock.monotonic() + REST_MS;
      }
    }
    this.#missing.set(digest, true);
    return false;
  }
}
