import type { TagPolicy } from '../cache/policy.ts';
import type { Clock } from '../clock.ts';
import type { Config, TagPolicy as TagConfig, UpstreamConfig } from '../config/config.ts';
import { matcherOf } from '../config/glob.ts';
import type { Events } from '../events.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import type { RoutedUpstream } from '../server/select-upstream.ts';
import { createUpstream } from '../upstream/create-upstream.ts';
import { credentialSource } from '../upstream/credentials/source.ts';
import { offlineUpstream } from '../upstream/offline.ts';
import type { Upstream } from '../upstream/upstream.ts';

export interface UpstreamDependencies {
  readonly clock: Clock;
  readonly events: Events;
  readonly userAgent: string;
}

/** The configured upstreams, as requests are routed to them. */
export function createUpstreams(
  config: Config,
  dependencies: UpstreamDependencies,
): readonly RoutedUpstream[] {
  return config.upstreams.map((entry) => ({
    upstream: config.offline ? offlineUpstream(entry.name) : connect(entry, dependencies),
    tags: tagPolicy(entry.tags, config.offline),
    names: [entry.name, ...entry.aliases],
    hosts: entry.hosts,
    addLibrary: entry.addLibrary,
    isAllowed: repositoryRule(entry),
  }));
}

function connect(entry: UpstreamConfig, { clock, events, userAgent }: UpstreamDependencies): Upstream {
  const { name, url, ca, proxy, trustedRealms, allowPrivateNetworks, timeouts } = entry;
  const credentials =
    entry.credentials === undefined ? undefined : credentialSource(entry.credentials, entry, clock);
  return createUpstream(
    { name, url, ca, proxy, trustedRealms, allowPrivateNetworks, timeouts, userAgent, credentials },
    { clock, events },
  );
}

/** Offline, nothing can be confirmed: what is cached is as fresh as it will get. */
function tagPolicy({ immutable, ...rest }: TagConfig, isOffline: boolean): TagPolicy {
  return { ...rest, isImmutable: isOffline ? () => true : matcherOf(immutable) };
}

function repositoryRule({ allow, deny }: UpstreamConfig): (repository: RepositoryName) => boolean {
  const isAllowed = matcherOf(allow);
  const isDenied = matcherOf(deny);
  return (repository) => isAllowed(repository) && !isDenied(repository);
}
