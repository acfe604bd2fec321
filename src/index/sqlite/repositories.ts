import type { ContentIndex, RepositoryKey } from '../content-index.ts';
import type { Connection } from './connection.ts';

type Repositories = Pick<ContentIndex, 'repositories'>;

export function createRepositories(connection: Connection): Repositories {
  return {
    async repositories({ after, limit }) {
      const rows = connection.all('repositories', after ?? '', Math.max(0, limit));
      return rows.map(({ path }) => path);
    },
  };
}

/** The id of the repository, which is recorded if it was not. To be called in a transaction. */
export function putRepository(connection: Connection, { registry, repository }: RepositoryKey): number {
  const row =
    connection.get('repository', registry, repository) ??
    connection.get('addRepository', registry, repository, `${registry}/${repository}`);
  if (row === undefined) throw new Error('INSERT ... RETURNING returned nothing');
  return row.id;
}
