import type { Digest } from '../../oci/digest.ts';
import type { Tag } from '../../oci/tag.ts';
import type { ContentIndex, RepositoryKey, TagEntry } from '../content-index.ts';
import type { Connection } from './connection.ts';
import { digestFromBytes, digestToBytes } from './digest-bytes.ts';
import { putRepository } from './repositories.ts';

type Tags = Pick<ContentIndex, 'tag' | 'putTag' | 'deleteTag' | 'tags' | 'tagHistory'>;

/** @param historyLength how many digests are remembered of each tag. */
export function createTags(connection: Connection, historyLength: number): Tags {
  function find({ upstream, repository }: RepositoryKey, tag: Tag): TagEntry | undefined {
    const row = connection.get('tag', upstream, repository, tag);
    return row && { digest: digestFromBytes(row.digest), checkedAt: row.checked_at };
  }

  function remember(repositoryId: number, tag: Tag, digest: Digest, replacedAt: number): void {
    connection.run('addTagHistory', repositoryId, tag, digestToBytes(digest), replacedAt);
    connection.run('trimTagHistory', repositoryId, tag, repositoryId, tag, historyLength);
  }

  return {
    tag: async (key, tag) => find(key, tag),
    async putTag(key, tag, { digest, checkedAt }) {
      connection.transaction(() => {
        const id = putRepository(connection, key);
        const before = find(key, tag)?.digest;
        if (before !== undefined && before !== digest) remember(id, tag, before, checkedAt);
        connection.run('putTag', id, tag, digestToBytes(digest), checkedAt);
      });
    },
    async deleteTag(key, tag, deletedAt) {
      connection.transaction(() => {
        const before = find(key, tag);
        if (before === undefined) return;
        const id = putRepository(connection, key);
        remember(id, tag, before.digest, deletedAt);
        connection.run('deleteTag', id, tag);
      });
    },
    async tags({ upstream, repository }, { after, limit }) {
      const bounds = [after ?? '', Math.max(0, limit)] as const;
      const rows = connection.all('tags', upstream, repository, ...bounds);
      return rows.map(({ name }) => name);
    },
    async tagHistory({ upstream, repository }, tag) {
      const rows = connection.all('tagHistory', upstream, repository, tag);
      return rows.map((row) => ({ digest: digestFromBytes(row.digest), replacedAt: row.replaced_at }));
    },
  };
}
