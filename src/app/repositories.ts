import type { RepositoryKey } from '../index/repository-key.ts';
import type { Mirror } from '../mirror/mirror.ts';
import type { MirroredUpstream, Target } from '../mirror/target.ts';
import type { Repository } from '../repository/repository.ts';
import { findRegistry, RepositoryTable, type RoutedRegistry } from '../repository/repository-table.ts';

/** An upstream that requests are routed to, with the rules by which its repositories are found. */
export interface RoutedUpstream extends MirroredUpstream, RoutedRegistry {}

/**
 * Returns the table that finds the upstreams' repositories by the addresses of requests.
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

/** Returns where a repository is pulled from; undefined if the config does not have its upstream (any more). */
export function findTarget(upstreams: readonly RoutedUpstream[], key: RepositoryKey): Target | undefined {
  const found = findRegistry(upstreams, key);
  return found && targetOf(found, key);
}

function targetOf({ upstream, tags, permission }: MirroredUpstream, key: RepositoryKey): Target {
  return { upstream, tags, permission, key };
}
