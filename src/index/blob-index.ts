import type { Digest } from '../oci/digest.ts';
import type { Page } from './page.ts';

/** Stored bytes, with what decides their place in the order of eviction. */
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
  /** Records that bytes are gone; if they were a manifest's, `manifest`, `edges` and `referrers` forget it. */
  deleteBlob(digest: Digest): Promise<void>;
  /**
   * Records that bytes are lost but still wanted (they have rotted, or their file has gone). What a manifest says stays
   * known, so that a pin still exempts what the manifest refers to until upstream gives its bytes again.
   */
  loseBlob(digest: Digest): Promise<void>;

  /**
   * Records many uses at once. A manifest's use counts for its whole closure. Ignores unknown digests, and never sets
   * a last use to an earlier time. Not one transaction.
   */
  touch(uses: ReadonlyMap<Digest, number>): Promise<void>;
  /**
   * Corrects last uses that lie more than an hour or two in the future: it sets them to `now`. The clock was set back,
   * and such bytes would outlive all bytes that are used since. Corrects at most 100, the farthest future first.
   * @returns how many it corrected
   */
  settleUses(now: number): Promise<number>;

  /** Totals, kept as blobs come and go: reading them does not walk through the blobs. */
  stats(): Promise<IndexStats>;
  /** Stored bytes in the order of their digests' text. */
  blobs(page: Page<Digest>): Promise<readonly StoredUse[]>;
  /** Stored bytes in the order of eviction: by `evictionRank` (eviction-rank.ts), then by digest. */
  leastUsed(page: Page<StoredUse>): Promise<readonly StoredUse[]>;
}
