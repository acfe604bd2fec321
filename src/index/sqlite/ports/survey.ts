import type { RepositoryKey } from '../../repository-key.ts';
import type { Digest } from '../../../oci/digest.ts';
import type { ClosureStats, ContentSurvey, RepositoryStats } from '../../content-survey.ts';
import type { Connection } from '../connection.ts';
import { digestToBytes, pageStart } from '../../sql/digest-bytes.ts';
import { readClosure } from './closure.ts';
import type { ManifestEdges } from './manifest-edges.ts';
import { putBlobRow } from './blobs.ts';
import { recordManifest } from './manifests.ts';
import { PIECE, type WriteTurns } from '../write-turns.ts';

/** Creates the port for questions about the whole index, but for `forgetGone` (forget-gone.ts). */
export function createSurvey(
  connection: Connection,
  turns: WriteTurns,
  manifestEdges: ManifestEdges,
): Omit<ContentSurvey, 'forgetGone'> {
  return {
    async repositories({ after, limit }) {
      const rows = connection.all('repositories', after ?? '', Math.max(0, limit));
      return rows.map(({ path }) => path);
    },
    ...createAdoption(connection, manifestEdges),
    async repositoryStats(key) {
      return { tags: await countTags(connection, turns, key), ...(await countBlobs(connection, turns, key)) };
    },
    closureStats: (root) => countClosure(connection, turns, root),
    note: async (name) => connection.get('note', name)?.value,
    async putNote(name, text) {
      connection.run('putNote', name, text);
    },
  };
}

async function countTags(connection: Connection, turns: WriteTurns, key: RepositoryKey): Promise<number> {
  const { registry, repository } = key;
  let tags = 0;
  for (let last: string | undefined = ''; last !== undefined;) {
    const after: string = last;
    const page = await turns.take(() => connection.all('tags', registry, repository, after, PIECE));
    tags += page.length;
    last = page.at(-1)?.name;
  }
  return tags;
}

async function countBlobs(
  connection: Connection,
  turns: WriteTurns,
  { registry, repository }: RepositoryKey,
): Promise<Omit<RepositoryStats, 'tags'>> {
  const stats = { blobs: 0, bytes: 0, usedAt: undefined as number | undefined };
  for (let last: Uint8Array | undefined = pageStart(); last !== undefined;) {
    const after: Uint8Array = last;
    const page = await turns.take(() =>
      connection.all('repositoryBlobs', registry, repository, after, PIECE),
    );
    for (const { size, used_at } of page) {
      if (size === null || used_at === null) continue;
      stats.blobs += 1;
      stats.bytes += size;
      stats.usedAt = Math.max(stats.usedAt ?? used_at, used_at);
    }
    last = page.at(-1)?.digest;
  }
  return stats;
}

async function countClosure(connection: Connection, turns: WriteTurns, root: Digest): Promise<ClosureStats> {
  const stats = { parts: 0, blobs: 0, bytes: 0 };
  for await (const piece of readClosure(connection, turns, digestToBytes(root))) {
    stats.parts += piece.length;
    const stored = await turns.take(() =>
      piece.flatMap((digest) => connection.get('blobSize', digest) ?? []),
    );
    stats.blobs += stored.length;
    for (const { size } of stored) stats.bytes += size;
  }
  return stats;
}

function createAdoption(
  connection: Connection,
  manifestEdges: ManifestEdges,
): Pick<ContentSurvey, 'adopt' | 'isRecovered'> {
  return {
    async adopt(blob, usedAt, manifest) {
      const digest = digestToBytes(blob.digest);
      const isKnown = (): boolean => connection.get('blobSize', digest) !== undefined;
      const record = (): boolean => {
        if (isKnown()) return false;
        if (manifest !== undefined) recordManifest(connection, manifest.entry, manifest.edges);
        putBlobRow(connection, blob, usedAt);
        connection.run('addToTotals', 1, blob.size);
        connection.run('putRecovered', digest);
        return true;
      };
      if (isKnown()) return false;
      if (manifest === undefined) return connection.transaction(record);
      return manifestEdges.put(manifest.entry, manifest.edges, { claim() {}, settle() {}, last: record });
    },
    async isRecovered(digest) {
      return connection.get('recovered', digestToBytes(digest)) !== undefined;
    },
  };
}
