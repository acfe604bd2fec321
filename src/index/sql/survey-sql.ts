import { REPOSITORY_ID } from './repository-sql.ts';

/** Statements for listings, adoption and notes. */
export const SURVEY_SQL = {
  repositories: `
    SELECT path FROM repositories AS r
    WHERE path > ? AND (
      EXISTS (SELECT 1 FROM tags AS t WHERE t.repository_id = r.id)
      OR EXISTS (
        SELECT 1 FROM belongings AS b JOIN manifests AS m ON m.digest = b.digest
        WHERE b.repository_id = r.id AND b.source > 0))
    ORDER BY path LIMIT ?`,
  repositoryBlobs: `
    SELECT b.digest, s.size, s.used_at FROM belongings AS b LEFT JOIN blobs AS s ON s.digest = b.digest
    WHERE b.repository_id = ${REPOSITORY_ID} AND b.digest > ? ORDER BY b.digest LIMIT ?`,
  recovered: 'SELECT 1 AS found FROM recovered WHERE digest = ?',
  putRecovered: 'INSERT INTO recovered (digest) VALUES (?) ON CONFLICT (digest) DO NOTHING',
  deleteRecovered: 'DELETE FROM recovered WHERE digest = ?',
  note: 'SELECT value FROM notes WHERE name = ?',
  putNote:
    'INSERT INTO notes (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
} as const;

/** The rows of the statements that give rows. */
export interface SurveyRows {
  repositories: { readonly path: string };
  repositoryBlobs: {
    readonly digest: Uint8Array;
    readonly size: number | null;
    readonly used_at: number | null;
  };
  recovered: { readonly found: number };
  note: { readonly value: string };
}
