import type { RepositoryKey } from '../index/repository-key.ts';
import type { Mirror } from '../mirror/mirror.ts';
import type { MirroredUpstream, Target } from '../mirror/target.ts';
import type { Repository } from '../repository/repository.ts';
import { RepositoryTable, type RoutedRegistry } from '../repository/repository-table.ts';

/** An upstream as requests find its repositories. */
export interface RoutedUpstream extends MirroredUpstream, RoutedRegistry {}

/**
 * The repositories of upstreams, by their addresses.
 * @param defaultUpstream the name of one of them
 */
export function repositoriesOf(
  mirror: Mirror,
  upstreams: readonly RoutedUpstream[],
  defaultUpstream: string,
): RepositoryTable {
  const served = upstreams.map((upstream) => ({
    ...upstream,
    repository: (key: RepositoryKey): Repository => mirror.repository(targetOf(upstream, key)),
  }));
  return new RepositoryTable(served, defaultUpstream);
}

/** Where a repository is pulled from; undefined where the config does not have it (any more). */
export function findTarget(upstreams: readonly RoutedUpstream[], key: RepositoryKey): Target | undefined {
  const found = upstreams.find(({ name }) => name === key.registry);
  return found?.isAllowed(key.repository) === true ? targetOf(found, key) : undefined;
}

function targetOf({ upstream, tags, permission }: MirroredUpstream, key: RepositoryKey): Target {
  return { upstream, tags, permission, key };
}
