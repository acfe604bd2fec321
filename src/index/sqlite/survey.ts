import type { SQLInputValue } from 'node:sqlite';
import type { StoredUse } from '../content-index.ts';
import type { ContentSurvey } from '../content-survey.ts';
import type { Connection } from './connection.ts';
import { digestFromBytes, digestToBytes } from './digest-bytes.ts';
import { recordManifest } from './manifests.ts';
import type { Rows } from './sql.ts';

const BEFORE_ALL = new Uint8Array();

export function createSurvey(connection: Connection): ContentSurvey {
  return {
    async blob(digest) {
      const row = connection.get('blob', digestToBytes(digest));
      return row && toStoredUse(row);
    },
    async blobs({ after, limit }) {
      const position = after === undefined ? BEFORE_ALL : digestToBytes(after);
      return connection.all('blobs', position, Math.max(0, limit)).map(toStoredUse);
    },
    ...createAdoption(connection),
    ...createRelations(connection),
    async repositoryStats({ upstream, repository }) {
      const of: SQLInputValue[] = [upstream, repository];
      const stored = connection.get('repositoryBlobs', ...of);
      return {
        tags: connection.get('repositoryTags', ...of)?.tags ?? 0,
        blobs: stored?.blobs ?? 0,
        bytes: stored?.bytes ?? 0,
        usedAt: stored?.used_at ?? undefined,
      };
    },
    async deleteTags({ upstream, repository }) {
      return connection.transaction(() => {
        connection.run('deleteTagHistory', upstream, repository);
        return connection.run('deleteTags', upstream, repository);
      });
    },
    note: async (name) => connection.get('note', name)?.value,
    async putNote(name, text) {
      connection.run('putNote', name, text);
    },
  };
}

function createAdoption(connection: Connection): Pick<ContentSurvey, 'adopt' | 'isRecovered'> {
  return {
    async adopt(blob, usedAt, manifest) {
      const digest = digestToBytes(blob.digest);
      return connection.transaction(() => {
        if (connection.get('blobSize', digest) !== undefined) return false;
        if (manifest !== undefined) recordManifest(connection, manifest.entry, manifest.edges);
        connection.run('putBlob', digest, blob.size, usedAt, digest, digest);
        connection.run('addToTotals', 1, blob.size);
        connection.run('putRecovered', digest);
        return true;
      });
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
    async belongings({ upstream, repository }, { after, limit }) {
      const position = after === undefined ? BEFORE_ALL : digestToBytes(after);
      const rows = connection.all('belongings', upstream, repository, position, limit);
      return rows.map((row) => digestFromBytes(row.digest));
    },
    async tagsOf({ upstream, repository }, digest) {
      const rows = connection.all('tagsOf', upstream, repository, digestToBytes(digest));
      return rows.map(({ name }) => name);
    },
    async parents(digest, limit, key) {
      const child = digestToBytes(digest);
      const rows =
        key === undefined
          ? connection.all('storedParents', child, limit)
          : connection.all('parentsIn', child, key.upstream, key.repository, limit);
      return rows.map((row) => digestFromBytes(row.manifest));
    },
  };
}

function toStoredUse(row: Rows['blob']): StoredUse {
  return { digest: digestFromBytes(row.digest), size: row.size, usedAt: row.used_at, tier: row.tier };
}
