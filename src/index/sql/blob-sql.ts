import type { StoredUse } from '../blob-index.ts';
import { digestFromBytes } from './digest-bytes.ts';

/** Statements about stored bytes, their use and their totals. */
export const BLOB_SQL = {
  blob: 'SELECT digest, size, used_at, tier FROM blobs WHERE digest = ?',
  blobs: 'SELECT digest, size, used_at, tier FROM blobs WHERE digest > ? ORDER BY digest LIMIT ?',
  leastUsed: `
    SELECT digest, size, used_at, tier FROM blobs WHERE (eviction_rank, digest) > (?, ?)
    ORDER BY eviction_rank, digest LIMIT ?`,
  blobSize: 'SELECT size FROM blobs WHERE digest = ?',
  putBlob: `
    INSERT INTO blobs (digest, size, used_at, tier) VALUES (?, ?, ?, CASE
      WHEN ? THEN 0
      WHEN EXISTS (SELECT 1 FROM edges WHERE manifest = ? AND role = 'manifest') THEN 2
      WHEN EXISTS (SELECT 1 FROM manifests WHERE digest = ?) THEN 1
      ELSE 0 END)
    ON CONFLICT (digest) DO UPDATE SET size = excluded.size, tier = excluded.tier`,
  setTier: 'UPDATE blobs SET tier = ? WHERE digest = ? AND tier <> ? AND size <= ?',
  deleteBlob: 'DELETE FROM blobs WHERE digest = ?',
  touchBlob: 'UPDATE blobs SET used_at = ? WHERE digest = ? AND used_at < ?',
  settleUses: `UPDATE blobs SET used_at = ? WHERE digest IN (
    SELECT digest FROM blobs WHERE eviction_rank > ? ORDER BY eviction_rank DESC LIMIT 100)`,
  totals: "SELECT entries, bytes FROM totals WHERE of_table = 'blobs'",
  addToTotals: "UPDATE totals SET entries = entries + ?, bytes = bytes + ? WHERE of_table = 'blobs'",
} as const;

interface StoredUseRow {
  readonly digest: Uint8Array;
  readonly size: number;
  readonly used_at: number;
  readonly tier: number;
}

/** The rows of the statements that give rows. */
export interface BlobRows {
  blob: StoredUseRow;
  blobs: StoredUseRow;
  leastUsed: StoredUseRow;
  blobSize: { readonly size: number };
  totals: { readonly entries: number; readonly bytes: number };
}

export function toStoredUse(row: BlobRows['blob']): StoredUse {
  return { digest: digestFromBytes(row.digest), size: row.size, usedAt: row.used_at, tier: row.tier };
}
