import type { Digest } from '../oci/digest.ts';
import type { Page } from './page.ts';

/** Stored bytes in their place in the order of eviction. */
export interface StoredUse {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly usedAt: number;
  /** 0: a blob, 1: a manifest, 2: a manifest of manifests. */
  readonly tier: number;
}

interface IndexStats {
  readonly blobs: number;
  readonly bytes: number;
}

/** Which bytes are stored, a manifest's as well as a blob's, and when each was last used. */
export interface BlobIndex {
  blob(digest: Digest): Promise<StoredUse | undefined>;
  /** Records that bytes were committed. */
  putBlob(blob: { readonly digest: Digest; readonly size: number }, usedAt: number): Promise<void>;
  /** Records that bytes are gone; were they a manifest's, then `manifest`, `edges` and `referrers` forget it. */
  deleteBlob(digest: Digest): Promise<void>;
  /**
   * Records that bytes are lost though they are still wanted (they have rotted, their file has gone): what a manifest
   * said stays known, so that a pin goes on to exempt what it refers to until upstream gives the bytes again.
   */
  loseBlob(digest: Digest): Promise<void>;

  /**
   * Records uses, many at once. A manifest's use counts for all of its closure. Unknown digests are passed over;
   * a time never goes back. Not one transaction.
   */
  touch(uses: ReadonlyMap<Digest, number>): Promise<void>;
  /**
   * Takes what was used in the future, by more than an hour or two, for used now: a clock was set back, and it would
   * outlive all that is used since. At most a hundred, those of the farthest future first. @returns how many it were
   */
  settleUses(now: number): Promise<number>;

  /** Without looking at each blob. */
  stats(): Promise<IndexStats>;
  /** What is stored, in the order of the digests' text. */
  blobs(page: Page<Digest>): Promise<readonly StoredUse[]>;
  /** What is stored, in the order of eviction: by `evictionRank` (eviction-rank.ts), then by digest. */
  leastUsed(page: Page<StoredUse>): Promise<readonly StoredUse[]>;
}
