import type { ConfigFile } from './schema.ts';
import type { TagPolicyConfig } from './sections/tags.ts';
import type { UpstreamTimeouts } from './sections/timeouts.ts';
import type { ProxyEnvironment } from './source/proxy-environment.ts';
import type { ProxyConfig } from './values/proxy.ts';

/** What the file says of an upstream. */
export type UpstreamEntry = ConfigFile['upstreams'][string];

/**
 * The configuration in effect: everything said, nothing left to default. Durations are milliseconds, sizes
 * bytes, paths absolute, hosts in lower case. What is not named here is as `sections/` has it.
 */
export interface Config extends Omit<ConfigFile, 'timeouts' | 'upstreams'> {
  /** In the file's order; names, aliases and hosts are unique. */
  readonly upstreams: readonly UpstreamConfig[];
  /** For upstreams that name no proxy. */
  readonly proxies: ProxyEnvironment;
  /** What upstreams have that do not say otherwise. */
  readonly timeouts: UpstreamTimeouts;
  /** How long a client waits for its answer's headers. */
  readonly answerMs: number;
}

type Completed = 'url' | 'ca' | 'proxy' | 'proxyCredentials' | 'tags' | 'timeouts';

export interface UpstreamConfig extends Omit<UpstreamEntry, Completed> {
  /** The registry's host as images are named by it: `docker.io`. */
  readonly name: string;
  /** The API is at `<url>/v2/`; the path does not end in "/", but for "/" itself. */
  readonly url: URL;
  /** Whether one-segment repositories mean `library/<name>`. */
  readonly addLibrary: boolean;
  /** PEM certificates to trust besides the system's. */
  readonly ca: string | undefined;
  /** Where `ca` was read. */
  readonly caFile: string | undefined;
  /** With its account. Undefined: what the environment says; `none`: none. */
  readonly proxy: ProxyConfig | 'none' | undefined;
  readonly tags: TagPolicyConfig;
  readonly timeouts: UpstreamTimeouts;
}
