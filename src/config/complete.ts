import type { Config, UpstreamConfig, UpstreamEntry } from './config.ts';
import type { ConfigFile } from './schema.ts';
import { aliasedRegistry, knownRegistry } from './sections/known-registries.ts';
import type { Overrides } from './source/overrides.ts';
import type { ProxyEnvironment } from './source/proxy-environment.ts';
import { unique } from './values/list.ts';

interface CompleteOptions {
  readonly overrides: Overrides;
  /** The text of the `ca` file of each upstream, by the upstream's name. */
  readonly certificates: ReadonlyMap<string, string>;
  readonly proxies: ProxyEnvironment;
}

/** Completes a file without mistakes: adds known registries, overrides, and the values that upstreams inherit. */
export function complete(file: ConfigFile, { overrides, certificates, proxies }: CompleteOptions): Config {
  const { answerMs, ...timeouts } = file.timeouts;
  const general = { tags: file.tags, timeouts };
  const upstreams = Object.entries(file.upstreams).map(([name, entry]) =>
    completeUpstream(name, entry, general, certificates.get(name)),
  );
  return {
    ...file,
    listen: overrides.listen ?? file.listen,
    cache: { ...file.cache, directory: overrides.cacheDirectory ?? file.cache.directory },
    defaultUpstream: canonicalName(file.defaultUpstream, upstreams),
    upstreams,
    proxies,
    timeouts,
    answerMs,
  };
}

function canonicalName(name: string, upstreams: readonly UpstreamConfig[]): string {
  if (upstreams.some((upstream) => upstream.name === name)) return name;
  return upstreams.find(({ aliases }) => aliases.includes(name))?.name ?? aliasedRegistry(name) ?? name;
}

type General = Pick<Config, 'tags' | 'timeouts'>;

function completeUpstream(
  name: string,
  { proxyCredentials, ...entry }: UpstreamEntry,
  general: General,
  ca: string | undefined,
): UpstreamConfig {
  const known = knownRegistry(name);
  return {
    ...entry,
    name,
    url: entry.url ?? known?.url ?? new URL(`https://${name}`),
    aliases: unique([...(known?.aliases ?? []), ...entry.aliases]).filter((alias) => alias !== name),
    addLibrary: known?.addLibrary ?? false,
    ca,
    caFile: entry.ca,
    proxy: withAccount(entry.proxy, proxyCredentials),
    tags: inherit(general.tags, entry.tags),
    trustedRealms: unique([...(known?.trustedRealms ?? []), ...entry.trustedRealms]),
    timeouts: inherit(general.timeouts, entry.timeouts),
  };
}

function withAccount(
  proxy: UpstreamEntry['proxy'],
  credentials: UpstreamEntry['proxyCredentials'],
): UpstreamConfig['proxy'] {
  if (proxy === undefined || proxy === 'none' || credentials === undefined) return proxy;
  return { ...proxy, credentials };
}

/** The values of an upstream's own section; undefined if the file does not say. */
type Own<Section> = { readonly [Key in keyof Section]: Section[Key] | undefined };

function inherit<Section extends object>(general: Section, own: Own<Section>): Section {
  return { ...general, ...own };
}

/** The inverse of `complete`: returns a file with the configuration in effect, whatever the environment says. */
export function toFile(config: Config): ConfigFile {
  const entries = config.upstreams.map((upstream) => [upstream.name, toEntry(upstream, config)] as const);
  return {
    ...config,
    upstreams: Object.fromEntries(entries),
    timeouts: { ...config.timeouts, answerMs: config.answerMs },
  };
}

function toEntry(upstream: UpstreamConfig, general: General): UpstreamEntry {
  const { proxy } = upstream;
  return {
    ...upstream,
    ca: upstream.caFile,
    proxyCredentials: proxy === undefined || proxy === 'none' ? undefined : proxy.credentials,
    tags: difference(upstream.tags, general.tags),
    timeouts: difference(upstream.timeouts, general.timeouts),
  };
}

/** Returns the values of `own` that differ from the general ones. */
function difference<Section extends object>(own: Section, general: Section): Own<Section> {
  const differing = Object.entries(own).filter(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify(general[key as keyof Section]),
  );
  return Object.fromEntries(differing) as Own<Section>;
}
