import { LRUCache } from 'lru-cache';
import type { Digest } from '../oci/digest.ts';
import type { StoredManifest } from './stored-manifest.ts';

/** Bytes that an entry costs beside its content: keys, and prepared headers. */
const ENTRY_OVERHEAD = 1024;
/** Copies of the content in an entry: nearly all manifests are small, and small ones are also prepared as text. */
const COPIES = 2;

/**
 * Keeps manifests in memory as each upstream has given them: a digest's bytes are the same, but their media type is the
 * upstream's word, and one upstream must not change it for another.
 */
export class ManifestMemory {
  readonly #manifests: LRUCache<Digest, ReadonlyMap<string, StoredManifest>>;

  /** @param maxBytes greatest size of all entries together */
  constructor(maxBytes: number) {
    this.#manifests = new LRUCache({ maxSize: maxBytes, sizeCalculation: sizeOf });
  }

  get(upstream: string, digest: Digest): StoredManifest | undefined {
    return this.#manifests.get(digest)?.get(upstream);
  }

  /** Whether the manifest of any upstream is in memory. */
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
