import type { StoredUse } from '../index/blob-index.ts';
import { evictionRank } from '../index/eviction-rank.ts';
import type { Digest } from '../oci/digest.ts';

/** What an eviction must achieve, and what it must leave alone. */
export interface EvictionDemand {
  /** Bytes that have to go. */
  readonly missing: number;
  /** Content last used before this time goes in any case; milliseconds since the epoch. */
  readonly unusedBefore: number | undefined;
  /** Whether it is pinned or leased. */
  readonly isPinned: (digest: Digest) => boolean;
  readonly isHeld: (digest: Digest) => boolean;
}

/** What a page yields for an eviction. */
export interface Choice {
  readonly evict: readonly StoredUse[];
  /** Passed over because they are pinned or leased. */
  readonly pinned: readonly StoredUse[];
  /** Number of blobs passed over because they are in use. */
  readonly held: number;
  /** The last blob that was looked at. */
  readonly last: StoredUse | undefined;
  /** Whether the choice is enough, so that nothing after `last` need be looked at. */
  readonly isEnough: boolean;
}

/** Chooses from a page of stored content in the order of eviction. */
export function chooseEvictions(page: readonly StoredUse[], demand: EvictionDemand): Choice {
  const evict: StoredUse[] = [];
  const pinned: StoredUse[] = [];
  let held = 0;
  let { missing } = demand;
  let last: StoredUse | undefined;
  for (const candidate of page) {
    if (missing <= 0 && !isUnused(candidate, demand)) return { evict, pinned, held, last, isEnough: true };
    last = candidate;
    if (demand.isHeld(candidate.digest)) held += 1;
    else if (demand.isPinned(candidate.digest)) pinned.push(candidate);
    else {
      evict.push(candidate);
      missing -= candidate.size;
    }
  }
  return { evict, pinned, held, last, isEnough: false };
}

/**
 * Whether content has been unused for too long. This compares its rank, not its last use, with the limit: candidates
 * come in the order of their rank, which favours manifests.
 */
export function isUnused(
  candidate: Pick<StoredUse, 'usedAt' | 'tier'>,
  { unusedBefore }: Pick<EvictionDemand, 'unusedBefore'>,
): boolean {
  return unusedBefore !== undefined && evictionRank(candidate) < unusedBefore;
}
