import type { Digest } from '../../../oci/digest.ts';
import type { BlobIndex } from '../../blob-index.ts';
import { MAX_FAVOURED_BYTES, evictionRank, TIER_MS } from '../../eviction-rank.ts';
import { readClosure } from './closure.ts';
import type { Connection } from '../connection.ts';
import { toStoredUse } from '../../sql/blob-sql.ts';
import { digestToBytes, pageStart } from '../../sql/digest-bytes.ts';
import type { ManifestEdges } from './manifest-edges.ts';
import { PIECE, type WriteTurns } from '../write-turns.ts';

/** Creates the port for stored bytes. */
export function createBlobs(
  connection: Connection,
  turns: WriteTurns,
  manifestEdges: ManifestEdges,
): BlobIndex {
  function deleteRow(digest: Uint8Array): void {
    const before = connection.get('blobSize', digest)?.size;
    if (before !== undefined) connection.run('addToTotals', -1, -before);
    connection.run('deleteBlob', digest);
    connection.run('deleteRecovered', digest);
    connection.run('deleteOrigins', digest);
  }

  return {
    async blob(digest) {
      const row = connection.get('blob', digestToBytes(digest));
      return row && toStoredUse(row);
    },
    async putBlob(blob, usedAt) {
      connection.transaction(() => recordBlob(connection, blob, usedAt));
    },
    async deleteBlob(blob) {
      const digest = digestToBytes(blob);
      await manifestEdges.remove(blob, () => {
        deleteRow(digest);
        // If the bytes were a manifest's, what is known of it goes with them.
        connection.run('deleteManifest', digest);
        return true;
      });
    },
    async loseBlob(blob) {
      connection.transaction(() => deleteRow(digestToBytes(blob)));
    },
    touch: (uses) => touchClosures(connection, turns, uses),
    // The rank of a manifest of manifests used now lies two hours ahead.
    settleUses: async (now) => connection.run('settleUses', now, now + 3 * TIER_MS),
    async stats() {
      const row = connection.get('totals');
      return { blobs: row?.entries ?? 0, bytes: row?.bytes ?? 0 };
    },
    async blobs({ after, limit }) {
      return connection.all('blobs', pageStart(after), Math.max(0, limit)).map(toStoredUse);
    },
    async leastUsed({ after, limit }) {
      const rank = after === undefined ? Number.MIN_SAFE_INTEGER : evictionRank(after);
      return connection.all('leastUsed', rank, pageStart(after?.digest), limit).map(toStoredUse);
    },
  };
}

/** Records that bytes were committed. Must be called in a transaction. */
export function recordBlob(
  connection: Connection,
  blob: { readonly digest: Digest; readonly size: number },
  usedAt: number,
): void {
  const digest = digestToBytes(blob.digest);
  const before = connection.get('blobSize', digest)?.size;
  putBlobRow(connection, blob, usedAt);
  connection.run('touchBlob', usedAt, digest, usedAt);
  connection.run('addToTotals', before === undefined ? 1 : 0, blob.size - (before ?? 0));
}

/** Writes a blob's row, in the tier that the index knows for its digest. Totals and a known last use do not change. */
export function putBlobRow(
  connection: Connection,
  { digest, size }: { readonly digest: Digest; readonly size: number },
  usedAt: number,
): void {
  const bytes = digestToBytes(digest);
  const isLarge = size > MAX_FAVOURED_BYTES ? 1 : 0;
  connection.run('putBlob', bytes, size, usedAt, isLarge, bytes, bytes);
}

/** Records the use of all that each digest leads to, piece by piece. */
export async function touchClosures(
  connection: Connection,
  turns: WriteTurns,
  uses: Iterable<readonly [Digest, number]>,
): Promise<void> {
  const touch = (used: readonly Used[]): Promise<void> =>
    turns.take(() =>
      connection.transaction(() => {
        for (const [digest, usedAt] of used) connection.run('touchBlob', usedAt, digest, usedAt);
      }),
    );
  let piece: Used[] = [];
  for (const [root, usedAt] of uses) {
    for await (const digests of readClosure(connection, turns, digestToBytes(root))) {
      for (const digest of digests) piece.push([digest, usedAt]);
      if (piece.length < PIECE) continue;
      await touch(piece);
      piece = [];
    }
  }
  if (piece.length > 0) await touch(piece);
}

type Used = readonly [Uint8Array, number];
