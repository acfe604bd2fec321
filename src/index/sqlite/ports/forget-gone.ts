import type { ContentSurvey, GonePiece, GoneWalk } from '../../content-survey.ts';
import type { Connection } from '../connection.ts';
import { digestFromBytes } from '../../sql/digest-bytes.ts';
import type { ManifestEdges } from './manifest-edges.ts';

/** Creates `forgetGone`. @param historyLength as in SqliteIndexOptions */
export function createForgetGone(
  connection: Connection,
  edges: ManifestEdges,
  historyLength: number,
): Pick<ContentSurvey, 'forgetGone'> {
  function forgetTag(walk: GoneWalk, { repository_id: id, name, path }: TagRow): boolean {
    if (isPinned(connection, `${path}:${name}`)) return false;
    connection.run('addTagHistory', walk.now, 'forgotten', id, name);
    connection.run('trimTagHistory', id, name, id, name, historyLength);
    return connection.run('deleteTag', id, name) > 0;
  }

  function forgetBelonging({ repository_id: id, digest }: BelongingRow): boolean {
    if (isPinned(connection, digestFromBytes(digest))) return false;
    connection.run('deleteWaitingClaim', id, digest);
    return connection.run('forgetBelonging', id, digest) > 0;
  }

  function walkTags(walk: GoneWalk): GonePiece {
    const [id, name] = positionOf(walk.after);
    const rows = connection.all('walkTags', id, name, walk.limit);
    const forgotten = rows.filter((row) => {
      const mark = (since: number | null): unknown =>
        connection.run('markTag', since, row.repository_id, row.name);
      return isDue(walk, row, mark) && forgetTag(walk, row);
    });
    const last = rows.at(-1);
    return {
      after: last && `${last.repository_id} ${last.name}`,
      rows: rows.length,
      forgotten: forgotten.length,
    };
  }

  function walkBelongings(walk: GoneWalk): GonePiece {
    const [id, hex] = positionOf(walk.after);
    const rows = connection.all('walkBelongings', id, Buffer.from(hex, 'hex'), walk.limit);
    const forgotten = rows.filter((row) => {
      const mark = (since: number | null): unknown =>
        connection.run('markBelonging', since, row.repository_id, row.digest);
      return isDue(walk, row, mark) && forgetBelonging(row);
    });
    const last = rows.at(-1);
    const after = last && `${last.repository_id} ${Buffer.from(last.digest).toString('hex')}`;
    return { after, rows: rows.length, forgotten: forgotten.length };
  }

  return {
    async forgetGone(walk) {
      if (walk.of === 'manifests') return walkManifests(connection, edges, walk);
      const piece = walk.of === 'tags' ? walkTags : walkBelongings;
      return connection.transaction(() => piece(walk));
    },
  };
}

async function walkManifests(
  connection: Connection,
  edges: ManifestEdges,
  { after = '', limit }: GoneWalk,
): Promise<GonePiece> {
  const rows = connection.all('walkManifests', Buffer.from(after, 'hex'), limit);
  let forgotten = 0;
  for (const { digest: bytes, is_here: isHere } of rows) {
    if (isHere === 1) continue;
    const digest = digestFromBytes(bytes);
    const isForgotten = await edges.remove(
      digest,
      () => !isPinned(connection, digest) && connection.run('forgetManifest', bytes) > 0,
    );
    if (isForgotten) forgotten += 1;
  }
  const last = rows.at(-1);
  return { after: last && Buffer.from(last.digest).toString('hex'), rows: rows.length, forgotten };
}

function isPinned(connection: Connection, name: string): boolean {
  return connection.get('pinNamed', name) !== undefined;
}

type TagRow = { readonly repository_id: number; readonly name: string; readonly path: string };
type BelongingRow = { readonly repository_id: number; readonly digest: Uint8Array };

/**
 * Notes when a row was first found without bytes, or that it has bytes again.
 * @returns whether it has been without them for long enough
 */
function isDue(
  { now, goneBefore }: GoneWalk,
  row: { readonly missing_since: number | null; readonly is_here: number },
  mark: (since: number | null) => unknown,
): boolean {
  if (row.is_here === 1) {
    if (row.missing_since !== null) mark(null);
    return false;
  }
  // A time in the future was noted before the clock was set back.
  if (row.missing_since === null || row.missing_since > now) mark(now);
  return row.missing_since !== null && row.missing_since <= goneBefore;
}

function positionOf(after = '0 '): [id: number, rest: string] {
  const space = after.indexOf(' ');
  return [Number(after.slice(0, space)), after.slice(space + 1)];
}
