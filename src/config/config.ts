import type { ConfigFile } from './schema.ts';
import type { TagPolicyConfig } from './sections/tags.ts';
import type { UpstreamTimeouts } from './sections/timeouts.ts';
import type { ProxyEnvironment } from './source/proxy-environment.ts';
import type { ProxyConfig } from './values/addresses/proxy.ts';

/** An upstream as the file says. */
export type UpstreamEntry = ConfigFile['upstreams'][string];

/**
 * The configuration in effect, with all defaults filled in. Durations are milliseconds, sizes bytes, paths absolute,
 * hosts in lower case. Fields that are not named here come from `sections/`.
 */
export interface Config extends Omit<ConfigFile, 'timeouts' | 'upstreams'> {
  /** In the file's order; names, aliases and hosts are unique. */
  readonly upstreams: readonly UpstreamConfig[];
  /** The environment's proxies, for upstreams that name none. */
  readonly proxies: ProxyEnvironment;
  /** The timeouts of upstreams that set none of their own. */
  readonly timeouts: UpstreamTimeouts;
  /** The longest that a client waits for the headers of its answer. */
  readonly answerMs: number;
}

type Completed = 'url' | 'ca' | 'proxy' | 'proxyCredentials' | 'tags' | 'timeouts';

export interface UpstreamConfig extends Omit<UpstreamEntry, Completed> {
  /** The registry's host in the names of images: `docker.io`. */
  readonly name: string;
  /** The base of the API, which is at `<url>/v2/`. Its path ends in "/" only if it is "/". */
  readonly url: URL;
  /** Whether repositories of one segment mean `library/<name>`. */
  readonly addLibrary: boolean;
  /** PEM certificates to trust besides the system's. */
  readonly ca: string | undefined;
  /** The file that `ca` was read from. */
  readonly caFile: string | undefined;
  /** The proxy, with its account. Undefined: the environment's; `none`: no proxy. */
  readonly proxy: ProxyConfig | 'none' | undefined;
  readonly tags: TagPolicyConfig;
  readonly timeouts: UpstreamTimeouts;
}
