import type { StoredUse } from './blob-index.ts';

/**
 * How much longer a manifest is kept than blobs that were used with it, and an image index than its manifests, in
 * milliseconds. Manifests are small, and each costs a pull that upstream counts (Docker Hub). So a manifest must not go
 * before its layers, although clients ask for the layers later than for the manifest, in a slow pull much later.
 */
export const TIER_MS = 3_600_000;

/**
 * Bytes above which a manifest counts as a blob: a manifest of thousands of layers takes as much room as a layer, and a
 * repository full of such manifests must not outlast what clients really use. Real images' manifests have a few KiB.
 */
export const MAX_FAVOURED_BYTES = 64 * 1024;

/** Returns the place in the order of eviction: the last use, in milliseconds since the epoch, delayed by the tier. */
export function evictionRank({ usedAt, tier }: Pick<StoredUse, 'usedAt' | 'tier'>): number {
  return usedAt + tier * TIER_MS;
}
