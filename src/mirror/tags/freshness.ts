import type { TagEntry } from '../../index/tag-index.ts';
import type { Tag } from '../../oci/tag.ts';
import type { TagPolicy } from '../tag-policy.ts';

/**
 * - `fresh`: serve without asking upstream.
 * - `stale`: ask upstream; serve all the same if upstream cannot answer.
 * - `expired`: ask upstream; too old to be served without its answer.
 */
export type Freshness = 'fresh' | 'stale' | 'expired';

/**
 * Returns whether a cached tag may be served at `now` (milliseconds since the epoch). It is computed at every read, so
 * that a changed policy and a restart count at once. An entry from the future (the clock was set back) is stale.
 */
export function freshness(tag: Tag, entry: TagEntry, policy: TagPolicy, now: number): Freshness {
  if (policy.isImmutable(tag)) return 'fresh';
  const ageMs = now - entry.checkedAt;
  if (ageMs < 0) return 'stale';
  if (ageMs < policy.ttlMs) return 'fresh';
  return ageMs < policy.ttlMs + policy.staleForMs ? 'stale' : 'expired';
}

/** Returns the milliseconds for which the entry is still fresh; negative once it is stale. */
export function remainingMs(entry: TagEntry, policy: TagPolicy, now: number): number {
  return entry.checkedAt + policy.ttlMs - now;
}
