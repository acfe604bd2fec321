import type { RepositoryName } from '../../oci/repository-name.ts';
import type { WaitingClaim } from '../belonging-index.ts';
import { digestFromBytes } from './digest-bytes.ts';
import { REPOSITORY_ID } from './repository-sql.ts';

/** Statements about belongings, about which upstream has given which bytes, and about waiting claims. */
export const BELONGING_SQL = {
  belonging: `SELECT source FROM belongings WHERE repository_id = ${REPOSITORY_ID} AND digest = ?`,
  belongings: `
    SELECT digest FROM belongings WHERE repository_id = ${REPOSITORY_ID} AND digest > ?
    ORDER BY digest LIMIT ?`,
  repositoriesOf: `
    SELECT r.registry, r.name AS repository
    FROM belongings AS b JOIN repositories AS r ON r.id = b.repository_id WHERE b.digest = ? LIMIT ?`,
  repositoryIdsOf: `
    SELECT repository_id FROM belongings WHERE digest = ? AND repository_id > ? ORDER BY repository_id LIMIT ?`,
  putBelonging: `
    INSERT INTO belongings (repository_id, digest, source) VALUES (?, ?, ?)
    ON CONFLICT (repository_id, digest) DO UPDATE SET source = excluded.source
    WHERE excluded.source > belongings.source`,
  deleteBelonging: `DELETE FROM belongings WHERE repository_id = ${REPOSITORY_ID} AND digest = ?`,
  dropClaim: `DELETE FROM belongings WHERE repository_id = ${REPOSITORY_ID} AND digest = ? AND source = 0`,
  claimEdges: `
    INSERT INTO belongings (repository_id, digest, source)
    SELECT ?, digest, 0 FROM edges
    WHERE manifest = ? AND position >= ? AND position < ? AND role <> 'subject'
    ON CONFLICT (repository_id, digest) DO NOTHING`,
  origin: 'SELECT media_type FROM origins WHERE digest = ? AND upstream = ?',
  putOrigin: `
    INSERT INTO origins (digest, upstream, media_type) VALUES (?, ?, ?)
    ON CONFLICT (digest, upstream) DO UPDATE SET media_type = excluded.media_type
    WHERE excluded.media_type IS NOT NULL`,
  deleteOrigins: 'DELETE FROM origins WHERE digest = ?',
  waitingClaim: `
    SELECT w.id, r.name AS repository, w.digest, s.size,
           EXISTS (SELECT 1 FROM manifests AS m WHERE m.digest = w.digest) AS is_manifest
    FROM waiting_claims AS w JOIN repositories AS r ON r.id = w.repository_id
    LEFT JOIN origins AS o ON o.digest = w.digest AND o.upstream = w.upstream LEFT JOIN blobs AS s ON s.digest = o.digest
    WHERE w.upstream = ? AND w.id < ? ORDER BY w.id DESC LIMIT 1`,
  waitingClaims:
    'SELECT COUNT(*) AS claims FROM (SELECT 1 FROM waiting_claims WHERE upstream = ? LIMIT ?) AS capped',
  deleteWaitingClaim: 'DELETE FROM waiting_claims WHERE repository_id = ? AND digest = ?',
} as const;

/** The rows of the statements that give rows. */
export interface BelongingRows {
  belonging: { readonly source: number };
  belongings: { readonly digest: Uint8Array };
  repositoriesOf: { readonly registry: string; readonly repository: RepositoryName };
  repositoryIdsOf: { readonly repository_id: number };
  origin: { readonly media_type: string | null };
  waitingClaim: {
    readonly id: number;
    readonly repository: RepositoryName;
    readonly digest: Uint8Array;
    readonly size: number | null;
    readonly is_manifest: number;
  };
  waitingClaims: { readonly claims: number };
}

export function toWaitingClaim(upstream: string, row: BelongingRows['waitingClaim']): WaitingClaim {
  return {
    key: { registry: upstream, repository: row.repository },
    digest: digestFromBytes(row.digest),
    isManifest: row.is_manifest === 1,
    size: row.size ?? undefined,
    position: row.id,
  };
}
