/**
 * What a client may do in a repository. `pull` includes the list of referrers; `tags` is to list tags; `admin` changes
 * what is cached.
 * `push` and `delete` have no endpoint yet, but a rule can name them. `metrics` concerns no repository: to read
 * `/metrics`.
 */
export const ACTIONS = ['pull', 'tags', 'push', 'delete', 'admin', 'metrics'] as const;

export type Action = (typeof ACTIONS)[number];
