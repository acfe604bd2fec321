import type { Config, TagPolicyConfig, UpstreamConfig, UpstreamTimeouts } from './config.ts';
import type { CredentialsConfig } from './sections/credentials.ts';
import { aliasedRegistry, knownRegistry } from './sections/known-registries.ts';
import type { Overrides } from './source/overrides.ts';
import type { ProxyEnvironment } from './source/proxy-environment.ts';
import type { ConfigFile } from './schema.ts';

type UpstreamEntry = ConfigFile['upstreams'][string];

interface ToConfigOptions {
  readonly overrides: Overrides;
  readonly resolvePath: (path: string) => string;
  /** The text of each upstream's `ca`, by upstream. */
  readonly certificates: ReadonlyMap<string, string>;
  readonly proxies: ProxyEnvironment;
}

/** Completes a file that is free of mistakes: known registries, overrides, what upstreams inherit. */
export function toConfig(file: ConfigFile, options: ToConfigOptions): Config {
  const tags = toTagPolicy(file.tags);
  const timeouts = toTimeouts(file.timeouts);
  const upstreams = Object.entries(file.upstreams).map(([name, entry]) =>
    toUpstream(name, entry, { tags, timeouts }, options),
  );
  return {
    listen: options.overrides.listen ?? file.listen,
    cache: toCache(file.cache, options),
    tags,
    negativeTtlMs: file.negativeTtl,
    offline: file.offline,
    access: file.access,
    defaultUpstream: canonicalName(file.defaultUpstream, upstreams),
    upstreams,
    proxies: options.proxies,
    timeouts,
    answerMs: file.timeouts.answer,
    trustedProxies: unique(file.trustedProxies),
    limits: toLimits(file.limits),
    delivery: file.delivery,
    drainDelayMs: file.drainDelay,
    drainMs: file.drain,
    log: file.log,
  };
}

function toCache(cache: ConfigFile['cache'], { overrides, resolvePath }: ToConfigOptions): Config['cache'] {
  return {
    directory: overrides.cacheDirectory ?? resolvePath(cache.directory),
    maxSize: cache.maxSize,
    minFree: cache.minFree,
    manifestMemory: cache.manifestMemory,
    blobMemory: cache.blobMemory,
    unusedForMs: cache.unusedFor,
    verifyEveryMs: cache.verifyEvery,
    verifyRate: cache.verifyRate,
  };
}

function canonicalName(name: string, upstreams: readonly UpstreamConfig[]): string {
  if (upstreams.some((upstream) => upstream.name === name)) return name;
  return upstreams.find(({ aliases }) => aliases.includes(name))?.name ?? aliasedRegistry(name) ?? name;
}

function toTagPolicy(tags: ConfigFile['tags']): TagPolicyConfig {
  return {
    ttlMs: tags.ttl,
    staleForMs: tags.staleFor,
    deadlineMs: tags.deadline,
    immutable: tags.immutable,
    onDeleted: tags.onDeleted,
    quotaReserve: tags.quotaReserve,
  };
}

function overrideTags(general: TagPolicyConfig, own: UpstreamEntry['tags']): TagPolicyConfig {
  return {
    ttlMs: own.ttl ?? general.ttlMs,
    staleForMs: own.staleFor ?? general.staleForMs,
    deadlineMs: own.deadline ?? general.deadlineMs,
    immutable: own.immutable ?? general.immutable,
    onDeleted: own.onDeleted ?? general.onDeleted,
    quotaReserve: own.quotaReserve ?? general.quotaReserve,
  };
}

function toLimits({ headerTimeout, idleTimeout, ...counts }: ConfigFile['limits']): Config['limits'] {
  return { ...counts, headerTimeoutMs: headerTimeout, idleTimeoutMs: idleTimeout };
}

function toTimeouts(timeouts: ConfigFile['timeouts']): UpstreamTimeouts {
  return { connectMs: timeouts.connect, headersMs: timeouts.headers, bodyMs: timeouts.body };
}

function overrideTimeouts(general: UpstreamTimeouts, own: UpstreamEntry['timeouts']): UpstreamTimeouts {
  return {
    connectMs: own.connect ?? general.connectMs,
    headersMs: own.headers ?? general.headersMs,
    bodyMs: own.body ?? general.bodyMs,
  };
}

function toUpstream(
  name: string,
  entry: UpstreamEntry,
  general: Pick<Config, 'tags' | 'timeouts'>,
  { resolvePath, certificates }: ToConfigOptions,
): UpstreamConfig {
  const known = knownRegistry(name);
  return {
    name,
    url: entry.url ?? known?.url ?? new URL(`https://${name}`),
    aliases: unique([...(known?.aliases ?? []), ...entry.aliases]).filter((alias) => alias !== name),
    hosts: unique(entry.hosts),
    addLibrary: known?.addLibrary ?? false,
    credentials: entry.credentials && resolveCredentials(entry.credentials, resolvePath),
    ca: certificates.get(name),
    caFile: entry.ca === undefined ? undefined : resolvePath(entry.ca),
    proxy: toProxy(entry, resolvePath),
    tags: overrideTags(general.tags, entry.tags),
    allow: entry.allow,
    deny: entry.deny,
    trustedRealms: unique([...(known?.trustedRealms ?? []), ...entry.trustedRealms]),
    allowPrivateNetworks: entry.allowPrivateNetworks,
    checksReferences: entry.checksReferences,
    timeouts: overrideTimeouts(general.timeouts, entry.timeouts),
  };
}

function toProxy(
  { proxy, proxyCredentials }: UpstreamEntry,
  resolvePath: (path: string) => string,
): UpstreamConfig['proxy'] {
  if (proxy === undefined || proxy === 'none' || proxyCredentials === undefined) return proxy;
  const isFile = proxyCredentials.kind === 'password-file';
  const credentials = isFile
    ? { ...proxyCredentials, path: resolvePath(proxyCredentials.path) }
    : proxyCredentials;
  return { ...proxy, credentials };
}

function resolveCredentials(
  credentials: CredentialsConfig,
  resolvePath: (path: string) => string,
): CredentialsConfig {
  switch (credentials.kind) {
    case 'password-file':
    case 'docker-config':
      return { ...credentials, path: resolvePath(credentials.path) };
    case 'helper':
      // Without a folder it is looked for in PATH.
      return credentials.program.includes('/')
        ? { ...credentials, program: resolvePath(credentials.program) }
        : credentials;
    default:
      return credentials;
  }
}

function unique(items: readonly string[]): readonly string[] {
  return [...new Set(items)];
}
