import type { Rules } from '../access/rules/rules.ts';
import type { PermissionPolicy } from '../mirror/permission/permission-policy.ts';
import type { TagPolicy } from '../mirror/tag-policy.ts';
import type { RoutedUpstream } from './repositories.ts';
import type { Clock } from '../clock.ts';
import type { Config, UpstreamConfig } from '../config/config.ts';
import type { TagPolicyConfig as TagConfig } from '../config/sections/tags.ts';
import { matcherOf } from '../config/values/glob.ts';
import { proxyOf } from '../config/source/proxy-environment.ts';
import type { Events } from '../events.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import type { Breaker } from '../upstream/protect/breaker.ts';
import { createUpstream } from '../upstream/create-upstream.ts';
import { credentialSource } from '../upstream/credentials/source.ts';
import { blobTurns, guardUpstream } from '../upstream/protect/guard.ts';
import { offlineUpstream } from '../upstream/protect/offline.ts';
import type { Passage } from '../upstream/transport/passage.ts';
import type { ProxyFor } from '../upstream/connections/proxy.ts';
import type { Parser } from '../upstream/registry/parsing/parser.ts';
import { quirksOf } from '../upstream/quirks.ts';
import { rulesOf } from './access/access-rules.ts';
import { certificateFile } from './certificate-file.ts';

export interface UpstreamDependencies {
  readonly clock: Clock;
  readonly events: Events;
  readonly userAgent: string;
  readonly passage: Passage;
  /** Absent: documents are read in this thread. */
  readonly parser?: Parser;
}

export interface ConfiguredUpstream extends RoutedUpstream {
  /** Undefined offline: there is nothing to guard. */
  readonly breaker: Breaker | undefined;
}

/** Makes the clients of the configured upstreams, with the rules by which requests are routed to them. */
export function createUpstreams(
  config: Config,
  dependencies: UpstreamDependencies,
): readonly ConfiguredUpstream[] {
  const rules = rulesOf(config);
  return config.upstreams.map((entry) => {
    const breaker = config.offline ? undefined : guarded(entry, config, dependencies);
    return {
      upstream: breaker?.upstream ?? offlineUpstream(entry.name),
      breaker,
      tags: tagPolicy(entry.tags, config.offline),
      permission: permissionPolicy(entry, rules),
      name: entry.name,
      aliases: entry.aliases,
      hosts: entry.hosts,
      addLibrary: entry.addLibrary,
      isAllowed: repositoryRule(entry),
    };
  });
}

/** Returns what is wrong with upstreams, by name; upstreams that work are left out. */
export function upstreamDetail(
  upstreams: readonly ConfiguredUpstream[],
  isSlow: (upstream: string) => boolean,
): Readonly<Record<string, object>> {
  return Object.fromEntries(
    upstreams.flatMap(({ upstream, breaker }) => {
      const refusal = upstream.accountRefusal();
      const account = refusal === undefined ? {} : { credentials: 'refused', reason: refusal };
      const open =
        breaker === undefined || breaker.state === 'closed'
          ? {}
          : { breaker: breaker.state, reason: breaker.reason };
      const slow = isSlow(upstream.name) ? { tags: 'not confirmed in time: served as they are known' } : {};
      const detail = { ...account, ...open, ...slow };
      return Object.keys(detail).length === 0 ? [] : [[upstream.name, detail] as const];
    }),
  );
}

/** Makes the client of one configured upstream. */
function guarded(
  entry: UpstreamConfig,
  { limits, proxies }: Config,
  { clock, events, userAgent, passage, parser }: UpstreamDependencies,
): Breaker {
  const { name, url, ca, proxy, trustedRealms, allowPrivateNetworks, timeouts } = entry;
  const credentials =
    entry.credentials === undefined ? undefined : credentialSource(entry.credentials, entry, clock);
  const account = { credentials, trustedRealms };
  const connections = limits.upstreamConnections;
  const caFile = entry.caFile === undefined ? undefined : certificateFile(entry.caFile);
  const proxyFor = proxyChoice(proxy, proxies, entry, clock);
  const network = { ca, caFile, proxyFor, allowPrivateNetworks, timeouts, connections };
  const deps = { clock, events, passage, ...(parser !== undefined && { parser }) };
  const upstream = createUpstream({ name, url, userAgent, ...account, ...network }, deps);
  const { countsPulls } = quirksOf(url.hostname);
  const guarding = { turns: blobTurns(connections), waitMs: timeouts.headersMs, countsPulls };
  return guardUpstream(upstream, guarding, { clock, events });
}

/** Chooses the proxy for each host of an upstream: the upstream's own `proxy`, or the environment's. */
export function proxyChoice(
  own: UpstreamConfig['proxy'],
  environment: Config['proxies'],
  { name }: Pick<UpstreamConfig, 'name'>,
  clock: Clock,
): ProxyFor {
  return (target) => {
    const proxy = proxyOf(target, own, environment);
    if (proxy === undefined) return undefined;
    const { url, credentials } = proxy;
    return { url, credentials: credentials && credentialSource(credentials, { name, url }, clock) };
  };
}

/** Offline, no tag can be confirmed: the cached ones are as fresh as they will get. */
function tagPolicy({ immutable, ...rest }: TagConfig, isOffline: boolean): TagPolicy {
  return { ...rest, isImmutable: isOffline ? () => true : matcherOf(immutable) };
}

/**
 * An upstream is open if all clients may read the same: Larder has no account, no repository is denied, and the rules
 * of access let every client pull from each of its repositories.
 */
function permissionPolicy(
  { name, credentials, allow, deny, checksReferences }: UpstreamConfig,
  rules: Rules,
): PermissionPolicy {
  const isAlike = credentials === undefined && deny.length === 0 && allow.includes('**');
  return { isOpen: isAlike && rules.isOpen(name), checksReferences };
}

function repositoryRule({ allow, deny }: UpstreamConfig): (repository: RepositoryName) => boolean {
  const isAllowed = matcherOf(allow);
  const isDenied = matcherOf(deny);
  return (repository) => isAllowed(repository) && !isDenied(repository);
}
