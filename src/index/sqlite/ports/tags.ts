import type { Tag } from '../../../oci/tag.ts';
import type { RepositoryKey } from '../../repository-key.ts';
import type { TagEnd, TagIndex, TagSpell } from '../../tag-index.ts';
import type { Connection } from '../connection.ts';
import { digestToBytes } from '../../sql/digest-bytes.ts';
import { toPresentSpell, toSpell, toTagEntry } from '../../sql/tag-sql.ts';
import { putRepository } from './repositories.ts';
import { PIECE, type WriteTurns } from '../write-turns.ts';

/** Creates the port for tags. @param historyLength number of ended spells that are remembered of each tag */
export function createTags(connection: Connection, turns: WriteTurns, historyLength: number): TagIndex {
  function find({ registry, repository }: RepositoryKey, tag: Tag): TagSpell | undefined {
    const row = connection.get('tag', registry, repository, tag);
    return row && toPresentSpell(row);
  }

  /** Ends the present spell. Must be called in a transaction. */
  function end(repositoryId: number, tag: Tag, until: number, ended: TagEnd): void {
    connection.run('addTagHistory', until, ended, repositoryId, tag);
    connection.run('trimTagHistory', repositoryId, tag, repositoryId, tag, historyLength);
  }

  return {
    async tag({ registry, repository }, tag) {
      const row = connection.get('tag', registry, repository, tag);
      return row && toTagEntry(row);
    },
    async putTag(key, tag, { digest, checkedAt }) {
      connection.transaction(() => {
        const id = putRepository(connection, key);
        const before = find(key, tag)?.digest;
        if (before === digest) {
          connection.run('confirmTag', checkedAt, id, tag);
          return;
        }
        if (before !== undefined) end(id, tag, checkedAt, 'moved');
        const seen = before === undefined ? 'pulled' : 'moved';
        connection.run('putTag', id, tag, digestToBytes(digest), checkedAt, seen, checkedAt);
      });
    },
    async deleteTag(key, tag, deletedAt, ended = 'deleted') {
      connection.transaction(() => {
        if (find(key, tag) === undefined) return;
        const id = putRepository(connection, key);
        end(id, tag, deletedAt, ended);
        connection.run('deleteTag', id, tag);
      });
    },
    deleteTags: (key) => deleteTags(connection, turns, key),
    async tags({ registry, repository }, { after, limit }) {
      const bounds = [after ?? '', Math.max(0, limit)] as const;
      const rows = connection.all('tags', registry, repository, ...bounds);
      return rows.map(({ name }) => name);
    },
    async tagsOf({ registry, repository }, digest, limit) {
      const rows = connection.all('tagsOf', registry, repository, digestToBytes(digest), limit);
      return rows.map(({ name }) => name);
    },
    async tagHistory(key, tag) {
      const present = find(key, tag);
      const past = connection.all('tagHistory', key.registry, key.repository, tag).map(toSpell);
      return present === undefined ? past : [present, ...past];
    },
  };
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
