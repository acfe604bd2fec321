import { LRUCache } from 'lru-cache';
import type { Digest } from '../oci/digest.ts';
import type { StoredManifest } from './stored-manifest.ts';

/** What an entry costs beside its bytes: keys, and headers that are prepared for it. */
const ENTRY_OVERHEAD = 1024;
/** Small ones are prepared as text, too, which is what nearly all are. */
const COPIES = 2;

/**
 * Manifests in memory, as each upstream has given them: the bytes of a digest are the same, but what they are served as
 * is the upstream's word, and one must not change it for another.
 */
export class ManifestMemory {
  readonly #manifests: LRUCache<Digest, ReadonlyMap<string, StoredManifest>>;

  /** @param maxBytes of all of them together */
  constructor(maxBytes: number) {
    this.#manifests = new LRUCache({ maxSize: maxBytes, sizeCalculation: sizeOf });
  }

  get(upstream: string, digest: Digest): StoredManifest | undefined {
    return this.#manifests.get(digest)?.get(upstream);
  }

  /** Whether any upstream's is here. */
  has(digest: Digest): boolean {
    return this.#manifests.has(digest);
  }

  set(upstream: string, manifest: StoredManifest): void {
    const others = this.#manifests.peek(manifest.digest) ?? [];
    this.#manifests.set(manifest.digest, new Map([...others, [upstream, manifest]]));
  }

  delete(digest: Digest): void {
    this.#manifests.delete(digest);
  }
}

function sizeOf(manifests: ReadonlyMap<string, StoredManifest>): number {
  let size = 0;
  for (const { bytes } of manifests.values()) size += COPIES * bytes.length + ENTRY_OVERHEAD;
  return size;
}
