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

/** The id of the repository, which is recorded if it was not. */
export function putRepository(connection: Connection, { upstream, repository }: RepositoryKey): number {
  const path = `${upstream}/${repository}`;
  const row = connection.get('putRepository', upstream, repository, path);
  if (row === undefined) throw new Error('RETURNING returned nothing');
  return row.id;
}
