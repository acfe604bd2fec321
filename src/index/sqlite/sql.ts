import type { EdgeRole } from '../../oci/manifest.ts';
import type { TagEnd } from '../tag-index.ts';
import type { RepositoryName } from '../../oci/repository-name.ts';
import type { Tag } from '../../oci/tag.ts';
import { GONE_SQL } from './gone-sql.ts';

const REPOSITORY_ID = '(SELECT id FROM repositories WHERE registry = ? AND name = ?)';

/**
 * Every statement of the index, in the common subset of SQLite and PostgreSQL (whose driver would number the
 * parameters). None of them walks through a whole table: sql.test.ts asks the query planner.
 */
export const SQL = {
  repository: 'SELECT id FROM repositories WHERE registry = ? AND name = ?',
  addRepository: 'INSERT INTO repositories (registry, name, path) VALUES (?, ?, ?) RETURNING id',
  repositories: `
    SELECT path FROM repositories AS r
    WHERE path > ? AND (
      EXISTS (SELECT 1 FROM tags AS t WHERE t.repository_id = r.id)
      OR EXISTS (
        SELECT 1 FROM belongings AS b JOIN manifests AS m ON m.digest = b.digest
        WHERE b.repository_id = r.id AND b.source > 0))
    ORDER BY path LIMIT ?`,

  tag: `SELECT digest, since, seen, checked_at FROM tags WHERE repository_id = ${REPOSITORY_ID} AND name = ?`,
  tags: `SELECT name FROM tags WHERE repository_id = ${REPOSITORY_ID} AND name > ? ORDER BY name LIMIT ?`,
  putTag: `
    INSERT INTO tags (repository_id, name, digest, since, seen, checked_at) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (repository_id, name) DO UPDATE SET digest = excluded.digest, since = excluded.since,
      seen = excluded.seen, checked_at = excluded.checked_at, missing_since = NULL`,
  confirmTag: 'UPDATE tags SET checked_at = ?, missing_since = NULL WHERE repository_id = ? AND name = ?',
  deleteTag: 'DELETE FROM tags WHERE repository_id = ? AND name = ?',
  tagHistory: `
    SELECT digest, since, seen, checked_at, until, ended FROM tag_history
    WHERE repository_id = ${REPOSITORY_ID} AND name = ? ORDER BY id DESC`,
  addTagHistory: `
    INSERT INTO tag_history (repository_id, name, digest, since, seen, checked_at, until, ended)
    SELECT repository_id, name, digest, since, seen, checked_at, ?, ? FROM tags
    WHERE repository_id = ? AND name = ?`,
  trimTagHistory: `
    DELETE FROM tag_history
    WHERE repository_id = ? AND name = ? AND id <= (
      SELECT id FROM tag_history WHERE repository_id = ? AND name = ?
      ORDER BY id DESC LIMIT 1 OFFSET ?)`,

  manifest: 'SELECT descriptor, subject FROM manifests WHERE digest = ?',
  // The bytes are the same, so the record differs by the type alone: one that knows a subject tells more.
  putManifest: `
    INSERT INTO manifests (digest, descriptor, subject) VALUES (?, ?, ?)
    ON CONFLICT (digest) DO UPDATE SET descriptor = excluded.descriptor, subject = excluded.subject
    WHERE excluded.subject IS NOT NULL OR manifests.subject IS NULL`,
  deleteManifest: 'DELETE FROM manifests WHERE digest = ?',
  referrers: `
    SELECT m.digest, m.descriptor, o.media_type
    FROM manifests AS m
    JOIN belongings AS b ON b.digest = m.digest
    LEFT JOIN origins AS o ON o.digest = m.digest AND o.upstream = ?
    WHERE m.subject = ? AND b.repository_id = ${REPOSITORY_ID} AND b.source > 0 AND m.digest > ?
    ORDER BY m.digest LIMIT ?`,

  isManifest: 'SELECT 1 AS found FROM manifests WHERE digest = ?',
  edges: `
    SELECT position, role, digest, size, media_type FROM edges
    WHERE manifest = ? AND position > ? ORDER BY position LIMIT ?`,
  lastEdge: 'SELECT position FROM edges WHERE manifest = ? ORDER BY position DESC LIMIT 1',
  // To put the same once more writes nothing.
  putEdge: `
    INSERT INTO edges (manifest, position, role, digest, size, media_type) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (manifest, position) DO UPDATE
    SET role = excluded.role, digest = excluded.digest, size = excluded.size, media_type = excluded.media_type
    WHERE edges.digest <> excluded.digest OR edges.size <> excluded.size
      OR edges.role <> excluded.role OR edges.media_type <> excluded.media_type`,
  deleteEdges: 'DELETE FROM edges WHERE manifest = ? AND position >= ?',
  unfinished: 'SELECT manifest FROM unfinished WHERE manifest > ? ORDER BY manifest LIMIT 1',
  isUnfinished: 'SELECT 1 AS found FROM unfinished WHERE manifest = ?',
  putUnfinished: 'INSERT INTO unfinished (manifest) VALUES (?) ON CONFLICT (manifest) DO NOTHING',
  deleteUnfinished: 'DELETE FROM unfinished WHERE manifest = ?',
  describedSize: `
    SELECT (SELECT size FROM edges WHERE digest = ? ORDER BY size LIMIT 1) AS smallest,
           (SELECT size FROM edges WHERE digest = ? ORDER BY size DESC LIMIT 1) AS largest`,

  belonging: `SELECT source FROM belongings WHERE repository_id = ${REPOSITORY_ID} AND digest = ?`,
  putBelonging: `
    INSERT INTO belongings (repository_id, digest, source) VALUES (?, ?, ?)
    ON CONFLICT (repository_id, digest) DO UPDATE SET source = excluded.source
    WHERE excluded.source > belongings.source`,
  deleteBelonging: `DELETE FROM belongings WHERE repository_id = ${REPOSITORY_ID} AND digest = ?`,
  dropClaim: `DELETE FROM belongings WHERE repository_id = ${REPOSITORY_ID} AND digest = ? AND source = 0`,
  claimEdges: `
    INSERT OR IGNORE INTO belongings (repository_id, digest, source)
    SELECT ?, digest, 0 FROM edges
    WHERE manifest = ? AND position >= ? AND position < ? AND role <> 'subject'`,
  origin: 'SELECT media_type FROM origins WHERE digest = ? AND upstream = ?',
  putOrigin: `
    INSERT INTO origins (digest, upstream, media_type) VALUES (?, ?, ?)
    ON CONFLICT (digest, upstream) DO UPDATE SET media_type = excluded.media_type
    WHERE excluded.media_type IS NOT NULL`,
  deleteOrigins: 'DELETE FROM origins WHERE digest = ?',
  // Those of a piece of one manifest. What waits already moves to the front.
  addWaitingEdges: `
    INSERT OR REPLACE INTO waiting_claims (upstream, repository_id, digest)
    SELECT o.upstream, b.repository_id, b.digest
    FROM edges AS e
    JOIN belongings AS b ON b.repository_id = ? AND b.digest = e.digest
    JOIN origins AS o ON o.digest = e.digest AND o.upstream = ?
    WHERE e.manifest = ? AND e.position >= ? AND e.position < ? AND e.role <> 'subject' AND b.source = 0`,
  // Those of a piece of the repositories that have one digest: a base layer may be claimed by any number of them.
  addWaitingRepositories: `
    INSERT OR REPLACE INTO waiting_claims (upstream, repository_id, digest)
    SELECT r.registry, b.repository_id, b.digest
    FROM belongings AS b JOIN repositories AS r ON r.id = b.repository_id
    WHERE b.digest = ? AND b.repository_id > ? AND b.repository_id <= ? AND b.source = 0 AND r.registry = ?`,
  repositoryIdsOf: `
    SELECT repository_id FROM belongings WHERE digest = ? AND repository_id > ? ORDER BY repository_id LIMIT ?`,
  waitingClaim: `
    SELECT w.id, r.name AS repository, w.digest, s.size,
           EXISTS (SELECT 1 FROM manifests AS m WHERE m.digest = w.digest) AS is_manifest
    FROM waiting_claims AS w JOIN repositories AS r ON r.id = w.repository_id
    LEFT JOIN origins AS o ON o.digest = w.digest AND o.upstream = w.upstream LEFT JOIN blobs AS s ON s.digest = o.digest
    WHERE w.upstream = ? AND w.id < ? ORDER BY w.id DESC LIMIT 1`,
  waitingClaims:
    'SELECT COUNT(*) AS claims FROM (SELECT 1 FROM waiting_claims WHERE upstream = ? LIMIT ?) AS capped',
  deleteWaitingClaim: 'DELETE FROM waiting_claims WHERE repository_id = ? AND digest = ?',

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
  leastUsed: `
    SELECT digest, size, used_at, tier FROM blobs WHERE (eviction_rank, digest) > (?, ?)
    ORDER BY eviction_rank, digest LIMIT ?`,
  // What of it is a manifest that is here, and so leads on.
  contained: `
    SELECT e.position, e.digest,
      CASE WHEN EXISTS (SELECT 1 FROM manifests AS m WHERE m.digest = e.digest) THEN 1 ELSE 0 END AS leads
    FROM edges AS e
    WHERE e.manifest = ? AND e.position > ? AND e.role <> 'subject'
      AND EXISTS (SELECT 1 FROM manifests AS m WHERE m.digest = e.manifest)
    ORDER BY e.position LIMIT ?`,
  putPin: `
    INSERT INTO pins (name, digest, repository_id, tag, pinned_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET pinned_at = excluded.pinned_at`,
  deletePin: 'DELETE FROM pins WHERE name = ?',
  pins: `
    SELECT p.name, p.digest, p.tag, p.pinned_at, r.registry, r.name AS repository, t.digest AS tagged
    FROM pins AS p
    LEFT JOIN repositories AS r ON r.id = p.repository_id
    LEFT JOIN tags AS t ON t.repository_id = p.repository_id AND t.name = p.tag
    WHERE p.name > ? ORDER BY p.name LIMIT ?`,

  blob: 'SELECT digest, size, used_at, tier FROM blobs WHERE digest = ?',
  blobs: 'SELECT digest, size, used_at, tier FROM blobs WHERE digest > ? ORDER BY digest LIMIT ?',
  recovered: 'SELECT 1 AS found FROM recovered WHERE digest = ?',
  putRecovered: 'INSERT INTO recovered (digest) VALUES (?) ON CONFLICT (digest) DO NOTHING',
  deleteRecovered: 'DELETE FROM recovered WHERE digest = ?',
  repositoriesOf: `
    SELECT r.registry, r.name AS repository
    FROM belongings AS b JOIN repositories AS r ON r.id = b.repository_id WHERE b.digest = ? LIMIT ?`,
  belongings: `
    SELECT digest FROM belongings WHERE repository_id = ${REPOSITORY_ID} AND digest > ?
    ORDER BY digest LIMIT ?`,
  tagsOf: `
    SELECT name FROM tags WHERE repository_id = ${REPOSITORY_ID} AND digest = ? ORDER BY name LIMIT ?`,
  storedParents: `
    SELECT e.manifest FROM edges AS e JOIN blobs AS b ON b.digest = e.manifest
    WHERE e.digest = ? AND e.role <> 'subject' LIMIT ?`,
  parentsIn: `
    SELECT e.manifest FROM edges AS e JOIN belongings AS b ON b.digest = e.manifest
    WHERE e.digest = ? AND e.role <> 'subject' AND b.repository_id = ${REPOSITORY_ID} LIMIT ?`,
  repositoryBlobs: `
    SELECT b.digest, s.size, s.used_at FROM belongings AS b LEFT JOIN blobs AS s ON s.digest = b.digest
    WHERE b.repository_id = ${REPOSITORY_ID} AND b.digest > ? ORDER BY b.digest LIMIT ?`,
  // A piece of them: the name is that of the last.
  deleteTags: `DELETE FROM tags WHERE repository_id = ${REPOSITORY_ID} AND name <= ?`,
  deleteTagHistory: `
    DELETE FROM tag_history WHERE id IN (
      SELECT id FROM tag_history WHERE repository_id = ${REPOSITORY_ID} ORDER BY name, id LIMIT ?)`,
  ...GONE_SQL,
  pinNamed: 'SELECT 1 AS found FROM pins WHERE name = ?',
  note: 'SELECT value FROM notes WHERE name = ?',
  putNote:
    'INSERT INTO notes (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  totals: "SELECT entries, bytes FROM totals WHERE of_table = 'blobs'",
  addToTotals: "UPDATE totals SET entries = entries + ?, bytes = bytes + ? WHERE of_table = 'blobs'",
} as const;

export type StatementName = keyof typeof SQL;

/** What may have outlived its bytes. */
interface Gone {
  readonly repository_id: number;
  readonly missing_since: number | null;
  readonly is_here: number;
}

/** What the rows of the statements that give rows are. */
export interface Rows {
  repository: { readonly id: number };
  addRepository: { readonly id: number };
  repositories: { readonly path: string };
  tag: {
    readonly digest: Uint8Array;
    readonly since: number | null;
    readonly seen: 'pulled' | 'moved' | null;
    readonly checked_at: number;
  };
  tags: { readonly name: Tag };
  tagHistory: {
    readonly digest: Uint8Array;
    readonly since: number | null;
    readonly seen: 'pulled' | 'moved' | null;
    readonly checked_at: number | null;
    readonly until: number;
    readonly ended: TagEnd | null;
  };
  manifest: { readonly descriptor: string; readonly subject: Uint8Array | null };
  referrers: {
    readonly digest: Uint8Array;
    readonly descriptor: string;
    readonly media_type: string | null;
  };
  isManifest: { readonly found: number };
  lastEdge: { readonly position: number };
  unfinished: { readonly manifest: Uint8Array };
  isUnfinished: { readonly found: number };
  edges: {
    readonly position: number;
    readonly role: EdgeRole;
    readonly digest: Uint8Array;
    readonly size: number;
    readonly media_type: string;
  };
  describedSize: { readonly smallest: number | null; readonly largest: number | null };
  belonging: { readonly source: number };
  origin: { readonly media_type: string | null };
  repositoryIdsOf: { readonly repository_id: number };
  waitingClaim: {
    readonly id: number;
    readonly repository: RepositoryName;
    readonly digest: Uint8Array;
    readonly size: number | null;
    readonly is_manifest: number;
  };
  waitingClaims: { readonly claims: number };
  blobSize: { readonly size: number };
  leastUsed: {
    readonly digest: Uint8Array;
    readonly size: number;
    readonly used_at: number;
    readonly tier: number;
  };
  contained: { readonly position: number; readonly digest: Uint8Array; readonly leads: number };
  pins: {
    readonly name: string;
    readonly digest: Uint8Array | null;
    readonly tag: Tag | null;
    readonly pinned_at: number;
    readonly registry: string | null;
    readonly repository: RepositoryName | null;
    readonly tagged: Uint8Array | null;
  };
  blob: Rows['leastUsed'];
  blobs: Rows['leastUsed'];
  recovered: { readonly found: number };
  repositoriesOf: { readonly registry: string; readonly repository: RepositoryName };
  belongings: { readonly digest: Uint8Array };
  tagsOf: { readonly name: Tag };
  storedParents: { readonly manifest: Uint8Array };
  parentsIn: { readonly manifest: Uint8Array };
  repositoryBlobs: {
    readonly digest: Uint8Array;
    readonly size: number | null;
    readonly used_at: number | null;
  };
  walkTags: Gone & { readonly name: Tag; readonly path: string };
  walkBelongings: Gone & { readonly digest: Uint8Array };
  walkManifests: { readonly digest: Uint8Array; readonly is_here: number };
  pinNamed: { readonly found: number };
  note: { readonly value: string };
  totals: { readonly entries: number; readonly bytes: number };
}
