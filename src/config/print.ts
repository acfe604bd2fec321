import { stringify } from 'yaml';
import { quoted } from '../oci/error.ts';
import { formatByteSize } from './values/byte-size.ts';
import type { Config, TagPolicyConfig, UpstreamConfig, UpstreamTimeouts } from './config.ts';
import type { CredentialsConfig } from './sections/credentials.ts';
import { formatDuration } from './values/duration.ts';
import { formatListenAddress } from './values/listen-address.ts';

/** What stands where a secret was. */
const HIDDEN = '(hidden)';

/**
 * The configuration in effect as YAML, which is itself a configuration file of the same meaning but for the
 * secrets, which are hidden. Upstreams show what differs from the general `tags` and `timeouts`.
 */
export function printConfig(config: Config): string {
  const file = stringify(
    {
      listen: formatListenAddress(config.listen),
      cache: printCache(config.cache),
      tags: printTags(config.tags),
      negativeTtl: formatDuration(config.negativeTtlMs),
      offline: config.offline,
      access: config.access,
      defaultUpstream: config.defaultUpstream,
      upstreams: Object.fromEntries(
        config.upstreams.map((upstream) => [upstream.name, printUpstream(upstream, config)]),
      ),
      timeouts: { ...printTimeouts(config.timeouts), answer: formatDuration(config.answerMs) },
      trustedProxies: config.trustedProxies,
      limits: printLimits(config.limits),
      delivery: config.delivery,
      drainDelay: formatDuration(config.drainDelayMs),
      drain: formatDuration(config.drainMs),
      log: config.log,
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
  return file + printEnvironment(config.proxies);
}

function printCache(cache: Config['cache']): object {
  return {
    directory: cache.directory,
    maxSize: cache.maxSize === undefined ? 'unlimited' : formatByteSize(cache.maxSize),
    minFree: formatByteSize(cache.minFree),
    manifestMemory: formatByteSize(cache.manifestMemory),
    blobMemory: formatByteSize(cache.blobMemory),
    unusedFor: formatDurationOrNever(cache.unusedForMs),
    verifyEvery: formatDurationOrNever(cache.verifyEveryMs),
    verifyRate: formatByteSize(cache.verifyRate),
  };
}

function formatDurationOrNever(ms: number | undefined): string {
  return ms === undefined ? 'never' : formatDuration(ms);
}

function printTags(tags: TagPolicyConfig): Readonly<Record<string, unknown>> {
  return {
    ttl: formatDuration(tags.ttlMs),
    staleFor: formatDuration(tags.staleForMs),
    deadline: formatDuration(tags.deadlineMs),
    immutable: tags.immutable,
    onDeleted: tags.onDeleted,
    quotaReserve: tags.quotaReserve,
  };
}

function printTimeouts(timeouts: UpstreamTimeouts): Readonly<Record<string, unknown>> {
  return {
    connect: formatDuration(timeouts.connectMs),
    headers: formatDuration(timeouts.headersMs),
    body: formatDuration(timeouts.bodyMs),
  };
}

function printLimits({ headerTimeoutMs, idleTimeoutMs, ...counts }: Config['limits']): object {
  return {
    ...counts,
    headerTimeout: formatDuration(headerTimeoutMs),
    idleTimeout: formatDuration(idleTimeoutMs),
  };
}

function printUpstream(upstream: UpstreamConfig, general: Pick<Config, 'tags' | 'timeouts'>): object {
  return {
    url: upstream.url.href.replace(/\/$/, ''),
    aliases: unlessEmpty(upstream.aliases),
    hosts: unlessEmpty(upstream.hosts),
    credentials: upstream.credentials && printCredentials(upstream.credentials),
    ca: upstream.caFile,
    ...printProxy(upstream.proxy),
    tags: difference(printTags(upstream.tags), printTags(general.tags)),
    allow: upstream.allow.join(' ') === '**' ? undefined : upstream.allow,
    deny: unlessEmpty(upstream.deny),
    trustedRealms: unlessEmpty(upstream.trustedRealms),
    allowPrivateNetworks: upstream.allowPrivateNetworks || undefined,
    checksReferences: upstream.checksReferences || undefined,
    timeouts: difference(printTimeouts(upstream.timeouts), printTimeouts(general.timeouts)),
  };
}

function printProxy(proxy: UpstreamConfig['proxy']): object {
  if (proxy === undefined || proxy === 'none') return { proxy };
  const { url, credentials } = proxy;
  const shown = { proxy: url.href.replace(/\/$/, '') };
  if (credentials === undefined) return shown;
  const secret =
    credentials.kind === 'password' ? { password: HIDDEN } : { passwordFile: literal(credentials.path) };
  return { ...shown, proxyCredentials: { username: HIDDEN, ...secret } };
}

/** As comments: they are no part of a file. */
function printEnvironment({ http, https, noProxy }: Config['proxies']): string {
  const proxies = [
    ['http_proxy', http?.url.origin],
    ['https_proxy', https?.url.origin],
    ['no_proxy', noProxy.length === 0 ? undefined : noProxy.map(quoted).join(', ')],
  ].flatMap(([name, value]) => (value === undefined ? [] : [`# ${name} of the environment: ${value}\n`]));
  return proxies.join('');
}

function printCredentials(credentials: CredentialsConfig): object {
  switch (credentials.kind) {
    case 'password':
      return { username: literal(credentials.username), password: HIDDEN };
    case 'password-file':
      return { username: literal(credentials.username), passwordFile: literal(credentials.path) };
    case 'identity-token':
      return { token: HIDDEN };
    case 'docker-config':
      return { dockerConfig: literal(credentials.path) };
    default:
      return { helper: literal(credentials.program) };
  }
}

/** The opposite of interpolation. */
function literal(text: string): string {
  return text.replaceAll('${', () => '$${');
}

function unlessEmpty(list: readonly string[]): readonly string[] | undefined {
  return list.length === 0 ? undefined : list;
}

/** The keys whose values differ; undefined where none does. */
function difference(
  own: Readonly<Record<string, unknown>>,
  general: Readonly<Record<string, unknown>>,
): object | undefined {
  const differing = Object.entries(own).filter(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify(general[key]),
  );
  return differing.length === 0 ? undefined : Object.fromEntries(differing);
}
