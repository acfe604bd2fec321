import type { RepositoryName } from '../../oci/repository-name.ts';
import type { Tag } from '../../oci/tag.ts';
import { IndexDamagedError } from '../error.ts';
import type { Pin, PinEntry } from '../pin-index.ts';
import { digestFromBytes } from './digest-bytes.ts';

/** Statements about pins. */
export const PIN_SQL = {
  pins: `
    SELECT p.name, p.digest, p.tag, p.pinned_at, r.registry, r.name AS repository, t.digest AS tagged
    FROM pins AS p
    LEFT JOIN repositories AS r ON r.id = p.repository_id
    LEFT JOIN tags AS t ON t.repository_id = p.repository_id AND t.name = p.tag
    WHERE p.name > ? ORDER BY p.name LIMIT ?`,
  pinNamed: 'SELECT 1 AS found FROM pins WHERE name = ?',
  putPin: `
    INSERT INTO pins (name, digest, repository_id, tag, pinned_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET pinned_at = excluded.pinned_at`,
  deletePin: 'DELETE FROM pins WHERE name = ?',
} as const;

/** The rows of the statements that give rows. */
export interface PinRows {
  pins: {
    readonly name: string;
    readonly digest: Uint8Array | null;
    readonly tag: Tag | null;
    readonly pinned_at: number;
    readonly registry: string | null;
    readonly repository: RepositoryName | null;
    readonly tagged: Uint8Array | null;
  };
  pinNamed: { readonly found: number };
}

/** Returns the pin's name. A tag's has a slash before the colon, a digest has none: no name stands for two pins. */
export function nameOfPin(pin: Pin): string {
  if (pin.kind === 'digest') return pin.digest;
  return `${pin.key.registry}/${pin.key.repository}:${pin.tag}`;
}

/** @throws IndexDamagedError for a row that is neither a digest's pin nor a tag's */
export function toPinEntry(row: PinRows['pins']): PinEntry {
  const { name, digest, tag, registry, repository, tagged, pinned_at: pinnedAt } = row;
  if (digest !== null) {
    const pinned = digestFromBytes(digest);
    return { name, pin: { kind: 'digest', digest: pinned }, digest: pinned, pinnedAt };
  }
  if (registry === null || repository === null || tag === null) {
    throw new IndexDamagedError(`the index holds a pin of nothing: ${name}`, 'PIN');
  }
  return {
    name,
    pin: { kind: 'tag', key: { registry, repository }, tag },
    digest: tagged === null ? undefined : digestFromBytes(tagged),
    pinnedAt,
  };
}
