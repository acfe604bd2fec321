/** The id of a repository by its registry and name, for use in a statement about it. */
export const REPOSITORY_ID = '(SELECT id FROM repositories WHERE registry = ? AND name = ?)';

/** Statements about repositories, which other tables name by their id. */
export const REPOSITORY_SQL = {
  repository: 'SELECT id FROM repositories WHERE registry = ? AND name = ?',
  addRepository: 'INSERT INTO repositories (registry, name, path) VALUES (?, ?, ?) RETURNING id',
} as const;

/** The rows of the statements that give rows. */
export interface RepositoryRows {
  repository: { readonly id: number };
  addRepository: { readonly id: number };
}
