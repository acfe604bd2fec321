import type { RepositoryKey, StoredUse } from '../content-index.ts';
import type { ContentSurvey, RepositoryStats } from '../content-survey.ts';
import type { Connection } from './connection.ts';
import { digestFromBytes, digestToBytes } from './digest-bytes.ts';
import type { ManifestEdges } from './manifest-edges.ts';
import { recordManifest } from './manifests.ts';
import type { Rows } from './sql.ts';
import { PIECE, type WriteTurns } from './write-turns.ts';

const BEFORE_ALL = new Uint8Array();

export function createSurvey(
  connection: Connection,
  turns: WriteTurns,
  manifestEdges: ManifestEdges,
): Omit<ContentSurvey, 'forgetGone'> {
  return {
    async blob(digest) {
      const row = connection.get('blob', digestToBytes(digest));
      return row && toStoredUse(row);
    },
    async blobs({ after, limit }) {
      const position = after === undefined ? BEFORE_ALL : digestToBytes(after);
      return connection.all('blobs', position, Math.max(0, limit)).map(toStoredUse);
    },
    ...createAdoption(connection, manifestEdges),
    ...createRelations(connection),
    async repositoryStats(key) {
      return { tags: await countTags(connection, turns, key), ...(await countBlobs(connection, turns, key)) };
    },
    deleteTags: (key) => deleteTags(connection, turns, key),
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
  for (let last: Uint8Array | undefined = BEFORE_ALL; last !== undefined;) {
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

async function deleteTags(connection: Connection, turns: WriteTurns, key: RepositoryKey): Promise<number> {
  const of = [key.registry, key.repository] as const;
  for (let deleted = 1; deleted > 0;) {
    deleted = await turns.take(() => connection.run('deleteTagHistory', ...of, PIECE));
  }
  for (let tags = 0; ;) {
    const deleted = await turns.take(() => {
      const last = connection.all('tags', ...of, '', PIECE).at(-1)?.name;
      return last === undefined ? 0 : connection.run('deleteTags', ...of, last);
    });
    if (deleted === 0) return tags;
    tags += deleted;
  }
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
        connection.run('putBlob', digest, blob.size, usedAt, digest, digest);
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

function createRelations(
  connection: Connection,
): Pick<ContentSurvey, 'repositoriesOf' | 'belongings' | 'tagsOf' | 'parents'> {
  return {
    async repositoriesOf(digest, limit) {
      return connection.all('repositoriesOf', digestToBytes(digest), limit);
    },
    async belongings({ registry, repository }, { after, limit }) {
      const position = after === undefined ? BEFORE_ALL : digestToBytes(after);
      const rows = connection.all('belongings', registry, repository, position, limit);
      return rows.map((row) => digestFromBytes(row.digest));
    },
    async tagsOf({ registry, repository }, digest, limit) {
      const rows = connection.all('tagsOf', registry, repository, digestToBytes(digest), limit);
      return rows.map(({ name }) => name);
    },
    async parents(digest, limit, key) {
      const child = digestToBytes(digest);
      const rows =
        key === undefined
          ? connection.all('storedParents', child, limit)
          : connection.all('parentsIn', child, key.registry, key.repository, limit);
      return rows.map((row) => digestFromBytes(row.manifest));
    },
  };
}

function toStoredUse(row: Rows['blob']): StoredUse {
  return { digest: digestFromBytes(row.digest), size: row.size, usedAt: row.used_at, tier: row.tier };
}
