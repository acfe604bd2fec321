import type { Descriptor } from '../../oci/descriptor.ts';
import type { Edge, EdgeRole } from '../../oci/manifest.ts';
import { IndexDamagedError } from '../error.ts';
import type { ManifestEntry } from '../manifest-index.ts';
import { digestFromBytes } from './digest-bytes.ts';
import { REPOSITORY_ID } from './repository-sql.ts';

/** Statements about manifests and their edges. */
export const MANIFEST_SQL = {
  manifest: 'SELECT descriptor, subject FROM manifests WHERE digest = ?',
  isManifest: 'SELECT 1 AS found FROM manifests WHERE digest = ?',
  // The bytes are the same, so two records differ only by the type: one with a subject tells more, and stays.
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
  storedParents: `
    SELECT e.manifest FROM edges AS e JOIN blobs AS b ON b.digest = e.manifest
    WHERE e.digest = ? AND e.role <> 'subject' LIMIT ?`,
  parentsIn: `
    SELECT e.manifest FROM edges AS e JOIN belongings AS b ON b.digest = e.manifest
    WHERE e.digest = ? AND e.role <> 'subject' AND b.repository_id = ${REPOSITORY_ID} LIMIT ?`,
  edges: `
    SELECT position, role, digest, size, media_type FROM edges
    WHERE manifest = ? AND position > ? ORDER BY position LIMIT ?`,
  lastEdge: 'SELECT position FROM edges WHERE manifest = ? ORDER BY position DESC LIMIT 1',
  // Putting the same edge again writes nothing.
  putEdge: `
    INSERT INTO edges (manifest, position, role, digest, size, media_type) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (manifest, position) DO UPDATE
    SET role = excluded.role, digest = excluded.digest, size = excluded.size, media_type = excluded.media_type
    WHERE edges.digest <> excluded.digest OR edges.size <> excluded.size
      OR edges.role <> excluded.role OR edges.media_type <> excluded.media_type`,
  deleteEdges: 'DELETE FROM edges WHERE manifest = ? AND position >= ?',
  // `leads`: whether the digest is a known manifest, which leads on.
  contained: `
    SELECT e.position, e.digest,
      CASE WHEN EXISTS (SELECT 1 FROM manifests AS m WHERE m.digest = e.digest) THEN 1 ELSE 0 END AS leads
    FROM edges AS e
    WHERE e.manifest = ? AND e.position > ? AND e.role <> 'subject'
      AND EXISTS (SELECT 1 FROM manifests AS m WHERE m.digest = e.manifest)
    ORDER BY e.position LIMIT ?`,
  describedSize: `
    SELECT (SELECT size FROM edges WHERE digest = ? ORDER BY size LIMIT 1) AS smallest,
           (SELECT size FROM edges WHERE digest = ? ORDER BY size DESC LIMIT 1) AS largest`,
  unfinished: 'SELECT manifest FROM unfinished WHERE manifest > ? ORDER BY manifest LIMIT 1',
  isUnfinished: 'SELECT 1 AS found FROM unfinished WHERE manifest = ?',
  putUnfinished: 'INSERT INTO unfinished (manifest) VALUES (?) ON CONFLICT (manifest) DO NOTHING',
  deleteUnfinished: 'DELETE FROM unfinished WHERE manifest = ?',
} as const;

/** The rows of the statements that give rows. */
export interface ManifestRows {
  manifest: { readonly descriptor: string; readonly subject: Uint8Array | null };
  isManifest: { readonly found: number };
  referrers: {
    readonly digest: Uint8Array;
    readonly descriptor: string;
    readonly media_type: string | null;
  };
  storedParents: { readonly manifest: Uint8Array };
  parentsIn: { readonly manifest: Uint8Array };
  edges: {
    readonly position: number;
    readonly role: EdgeRole;
    readonly digest: Uint8Array;
    readonly size: number;
    readonly media_type: string;
  };
  lastEdge: { readonly position: number };
  contained: { readonly position: number; readonly digest: Uint8Array; readonly leads: number };
  describedSize: { readonly smallest: number | null; readonly largest: number | null };
  unfinished: { readonly manifest: Uint8Array };
  isUnfinished: { readonly found: number };
}

/** @throws IndexDamagedError if the descriptor cannot be read */
export function toManifestEntry(row: ManifestRows['manifest']): ManifestEntry {
  return {
    descriptor: parseDescriptor(row.descriptor),
    subject: row.subject === null ? undefined : digestFromBytes(row.subject),
  };
}

/** @throws IndexDamagedError if the descriptor cannot be read */
export function toReferrer(row: ManifestRows['referrers']): Descriptor {
  const descriptor = parseDescriptor(row.descriptor);
  return row.media_type === null ? descriptor : { ...descriptor, mediaType: row.media_type };
}

export function toEdge(row: ManifestRows['edges']): Edge {
  return {
    role: row.role,
    digest: digestFromBytes(row.digest),
    size: row.size,
    mediaType: row.media_type,
  };
}

/** Returns the size that all descriptors give; undefined if there is none, or if they disagree. */
export function toDescribedSize(row: ManifestRows['describedSize'] | undefined): number | undefined {
  return row?.smallest === row?.largest ? (row?.smallest ?? undefined) : undefined;
}

function parseDescriptor(text: string): Descriptor {
  try {
    return JSON.parse(text) as Descriptor;
  } catch (error) {
    throw new IndexDamagedError('the index holds a descriptor that is not JSON', 'JSON', { cause: error });
  }
}
