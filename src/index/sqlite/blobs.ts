import type { SQLInputValue } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Digest } from '../../oci/digest.ts';
import type { ContentIndex } from '../content-index.ts';
import { evictionRank } from '../eviction-rank.ts';
import type { Connection } from './connection.ts';
import { digestFromBytes, digestToBytes } from './digest-bytes.ts';

const BEFORE_ALL: SQLInputValue[] = [Number.MIN_SAFE_INTEGER, new Uint8Array()];

/** In an index of a million blobs each takes 50 µs: 10,000 at once would keep everything else waiting. */
const TOUCHES_PER_TURN = 50;

type Blobs = Pick<ContentIndex, 'putBlob' | 'deleteBlob' | 'loseBlob' | 'touch' | 'stats' | 'leastUsed'>;

export function createBlobs(connection: Connection): Blobs {
  function deleteRow(digest: Uint8Array): void {
    const before = connection.get('blobSize', digest)?.size;
    if (before !== undefined) connection.run('addToTotals', -1, -before);
    connection.run('deleteBlob', digest);
    connection.run('deleteRecovered', digest);
    connection.run('deleteOrigins', digest);
  }

  function touchAll(entries: readonly (readonly [Digest, number])[]): void {
    connection.transaction(() => {
      for (const [digest, usedAt] of entries) {
        touchClosure(connection, digestToBytes(digest), usedAt);
      }
    });
  }

  return {
    async putBlob(blob, usedAt) {
      connection.transaction(() => recordBlob(connection, blob, usedAt));
    },
    async deleteBlob(blob) {
      const digest = digestToBytes(blob);
      connection.transaction(() => {
        deleteRow(digest);
        // Were the bytes a manifest's, then what is known of it goes with them.
        connection.run('deleteManifest', digest);
        connection.run('deleteEdges', digest);
      });
    },
    async loseBlob(blob) {
      connection.transaction(() => deleteRow(digestToBytes(blob)));
    },
    async touch(uses) {
      const entries = [...uses];
      for (let start = 0; start < entries.length; start += TOUCHES_PER_TURN) {
        if (start > 0) await nextTurn();
        touchAll(entries.slice(start, start + TOUCHES_PER_TURN));
      }
    },
    async stats() {
      const row = connection.get('totals');
      return { blobs: row?.entries ?? 0, bytes: row?.bytes ?? 0 };
    },
    async leastUsed({ after, limit }) {
      const position: SQLInputValue[] =
        after === undefined ? BEFORE_ALL : [evictionRank(after), digestToBytes(after.digest)];
      const rows = connection.all('leastUsed', ...position, limit);
      return rows.map((row) => ({
        digest: digestFromBytes(row.digest),
        size: row.size,
        usedAt: row.used_at,
        tier: row.tier,
      }));
    },
  };
}

/** That bytes were committed. To be called in a transaction. */
export function recordBlob(
  connection: Connection,
  blob: { readonly digest: Digest; readonly size: number },
  usedAt: number,
): void {
  const digest = digestToBytes(blob.digest);
  const before = connection.get('blobSize', digest)?.size;
  connection.run('putBlob', digest, blob.size, usedAt, digest, digest);
  connection.run('touchBlob', usedAt, digest, usedAt);
  connection.run('addToTotals', before === undefined ? 1 : 0, blob.size - (before ?? 0));
}

/** To be called in a transaction. */
export function touchClosure(connection: Connection, root: Uint8Array, usedAt: number): void {
  for (const { digest } of connection.all('closure', root)) {
    connection.run('touchBlob', usedAt, digest, usedAt);
  }
}
