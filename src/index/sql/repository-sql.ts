/** In a statement about one repository: its id, by the registry and the name. */
export const REPOSITORY_ID = '(SELECT id FROM repositories WHERE registry = ? AND name = ?)';

/** Repositories by what they are called: other tables name them by their id. */
export const REPOSITORY_SQL = {
  repository: 'SELECT id FROM repositories WHERE registry = ? AND name = ?',
  addRepository: 'INSERT INTO repositories (registry, name, path) VALUES (?, ?, ?) RETURNING id',
} as const;

/** The rows of the statements that give rows. */
export interface RepositoryRows {
  repository: { readonly id: number };
  addRepository: { readonly id: number };
}
