/**
 * What a client may do. `pull` includes the list of referrers; `tags` is to list tags. `push` and `delete` have no
 * endpoint yet, but a rule can name them. The others concern no single repository: `read` and `admin` are for the API
 * of operators (to read what is cached and what runs; to change it), `metrics` is to read `/metrics`.
 */
export const ACTIONS = ['pull', 'tags', 'push', 'delete', 'read', 'admin', 'metrics'] as const;

export type Action = (typeof ACTIONS)[number];

/** Whether the action concerns no single repository, so that only rules for all of them count. */
export function isForNoRepository(action: Action): boolean {
  return action === 'read' || action === 'admin' || action === 'metrics';
}
