import type { Tag } from '../../oci/tag.ts';
import type { TagEnd, TagEntry, TagSpell } from '../tag-index.ts';
import { digestFromBytes } from './digest-bytes.ts';
import { REPOSITORY_ID } from './repository-sql.ts';

/** Statements about tags and their spells. */
export const TAG_SQL = {
  tag: `SELECT digest, since, seen, checked_at FROM tags WHERE repository_id = ${REPOSITORY_ID} AND name = ?`,
  tags: `SELECT name FROM tags WHERE repository_id = ${REPOSITORY_ID} AND name > ? ORDER BY name LIMIT ?`,
  tagsOf: `
    SELECT name FROM tags WHERE repository_id = ${REPOSITORY_ID} AND digest = ? ORDER BY name LIMIT ?`,
  putTag: `
    INSERT INTO tags (repository_id, name, digest, since, seen, checked_at) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (repository_id, name) DO UPDATE SET digest = excluded.digest, since = excluded.since,
      seen = excluded.seen, checked_at = excluded.checked_at, missing_since = NULL`,
  confirmTag: 'UPDATE tags SET checked_at = ?, missing_since = NULL WHERE repository_id = ? AND name = ?',
  deleteTag: 'DELETE FROM tags WHERE repository_id = ? AND name = ?',
  // Deletes one piece of the tags, up to the given name.
  deleteTags: `DELETE FROM tags WHERE repository_id = ${REPOSITORY_ID} AND name <= ?`,
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
  deleteTagHistory: `
    DELETE FROM tag_history WHERE id IN (
      SELECT id FROM tag_history WHERE repository_id = ${REPOSITORY_ID} ORDER BY name, id LIMIT ?)`,
} as const;

/** The rows of the statements that give rows. */
export interface TagRows {
  tag: {
    readonly digest: Uint8Array;
    readonly since: number | null;
    readonly seen: 'pulled' | 'moved' | null;
    readonly checked_at: number;
  };
  tags: { readonly name: Tag };
  tagsOf: { readonly name: Tag };
  tagHistory: {
    readonly digest: Uint8Array;
    readonly since: number | null;
    readonly seen: 'pulled' | 'moved' | null;
    readonly checked_at: number | null;
    readonly until: number;
    readonly ended: TagEnd | null;
  };
}

export function toTagEntry(row: TagRows['tag']): TagEntry {
  return { digest: digestFromBytes(row.digest), checkedAt: row.checked_at };
}

/** Reads the present spell from the tag's own row. */
export function toPresentSpell(row: TagRows['tag']): TagSpell {
  return toSpell({ ...row, until: null, ended: null });
}

type SpellRow = Omit<TagRows['tagHistory'], 'until'> & { readonly until: number | null };

export function toSpell(row: SpellRow): TagSpell {
  return {
    digest: digestFromBytes(row.digest),
    since: row.since ?? undefined,
    seen: row.seen ?? undefined,
    checkedAt: row.checked_at ?? undefined,
    until: row.until ?? undefined,
    ended: row.ended ?? undefined,
  };
}
