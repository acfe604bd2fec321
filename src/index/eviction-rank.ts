import type { StoredUse } from './blob-index.ts';

/**
 * How much longer a manifest is kept than blobs that were used with it, and an index than its manifests. Bytes of
 * theirs are few, and a manifest costs a pull that upstream counts (Docker Hub): so it must not go before its layers,
 * which clients ask for after it, and in a slow pull long after it.
 */
export const TIER_MS = 3_600_000;

/**
 * A manifest of more bytes than this counts as a blob: one of thousands of layers takes as much room as a layer, and a
 * repository full of those must not outlast what clients really use. Those of real images have a few KiB.
 */
export const MAX_FAVOURED_BYTES = 64 * 1024;

/** The place in the order of eviction: when it was last used, in milliseconds since the epoch, and later by its tier. */
export function evictionRank({ usedAt, tier }: Pick<StoredUse, 'usedAt' | 'tier'>): number {
  return usedAt + tier * TIER_MS;
}
