import type { Tag } from '../../oci/tag.ts';

/** Statements that find and forget rows that have outlived their bytes. */
export const GONE_SQL = {
  walkTags: `
    SELECT t.repository_id, t.name, t.missing_since, (SELECT path FROM repositories WHERE id = t.repository_id) AS path,
      EXISTS (SELECT 1 FROM blobs WHERE digest = t.digest) AS is_here
    FROM tags AS t WHERE (t.repository_id, t.name) > (?, ?) ORDER BY t.repository_id, t.name LIMIT ?`,
  markTag: 'UPDATE tags SET missing_since = ? WHERE repository_id = ? AND name = ?',
  // A digest to which a hundred edges lead counts as needed, so that the edges of a popular layer need not all be read.
  walkBelongings: `
    SELECT b.repository_id, b.digest, b.missing_since, (
      EXISTS (SELECT 1 FROM blobs WHERE digest = b.digest)
      OR EXISTS (SELECT 1 FROM tags WHERE repository_id = b.repository_id AND digest = b.digest)
      OR EXISTS (SELECT 1 FROM edges WHERE digest = b.digest LIMIT 1 OFFSET 99)
      OR EXISTS (SELECT 1 FROM edges AS e JOIN belongings AS p ON p.digest = e.manifest
        WHERE e.digest = b.digest AND e.role <> 'subject' AND p.repository_id = b.repository_id)) AS is_here
    FROM belongings AS b WHERE (b.repository_id, b.digest) > (?, ?) ORDER BY b.repository_id, b.digest LIMIT ?`,
  markBelonging: 'UPDATE belongings SET missing_since = ? WHERE repository_id = ? AND digest = ?',
  forgetBelonging: 'DELETE FROM belongings WHERE repository_id = ? AND digest = ?',
  walkManifests: `
    SELECT m.digest, (EXISTS (SELECT 1 FROM blobs WHERE digest = m.digest)
      OR EXISTS (SELECT 1 FROM belongings WHERE digest = m.digest)) AS is_here
    FROM manifests AS m WHERE m.digest > ? ORDER BY m.digest LIMIT ?`,
  // The manifest may have been pulled again, or claimed, since the page was read.
  forgetManifest: `
    DELETE FROM manifests WHERE digest = ?
      AND NOT EXISTS (SELECT 1 FROM blobs WHERE digest = manifests.digest)
      AND NOT EXISTS (SELECT 1 FROM belongings WHERE digest = manifests.digest)`,
} as const;

/** A row that may have outlived its bytes. */
interface MaybeGone {
  readonly repository_id: number;
  readonly missing_since: number | null;
  readonly is_here: number;
}

/** The rows of the statements that give rows. */
export interface GoneRows {
  walkTags: MaybeGone & { readonly name: Tag; readonly path: string };
  walkBelongings: MaybeGone & { readonly digest: Uint8Array };
  walkManifests: { readonly digest: Uint8Array; readonly is_here: number };
}
