import type { RepositoryKey } from '../../repository-key.ts';
import type { Connection } from '../connection.ts';

/** Returns the repository's id; records the repository if it is new. Must be called in a transaction. */
export function putRepository(connection: Connection, { registry, repository }: RepositoryKey): number {
  const row =
    connection.get('repository', registry, repository) ??
    connection.get('addRepository', registry, repository, `${registry}/${repository}`);
  if (row === undefined) throw new Error('INSERT ... RETURNING returned nothing');
  return row.id;
}
