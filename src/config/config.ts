import type { CredentialsConfig } from './sections/credentials.ts';
import type { ProxyConfig } from './values/proxy.ts';
import type { ProxyEnvironment } from './source/proxy-environment.ts';
import type { ListenAddress } from './values/listen-address.ts';

/**
 * The configuration in effect: everything said, nothing left to default. Durations are milliseconds, sizes
 * bytes, paths absolute, hosts in lower case.
 */
export interface Config {
  readonly listen: ListenAddress;
  readonly cache: CacheConfig;
  /** What upstreams have that do not say otherwise. */
  readonly tags: TagPolicyConfig;
  /** How long "absent" is believed. */
  readonly negativeTtlMs: number;
  /** True: no upstream is ever contacted. */
  readonly offline: boolean;
  /** Undefined: nothing was said. */
  readonly access: { readonly anonymous: 'pull' } | undefined;
  /** The name of one of `upstreams`. */
  readonly defaultUpstream: string;
  /** In the file's order; names, aliases and hosts are unique. */
  readonly upstreams: readonly UpstreamConfig[];
  /** For upstreams that name no proxy. */
  readonly proxies: ProxyEnvironment;
  /** What upstreams have that do not say otherwise. */
  readonly timeouts: UpstreamTimeouts;
  /** How long a client waits for its answer's headers. */
  readonly answerMs: number;
  /** Networks with their lengths: `10.0.0.0/8`. */
  readonly trustedProxies: readonly string[];
  readonly limits: LimitsConfig;
  /** `auto`: stored blobs are sent by the kernel where it can; `read`: never. */
  readonly delivery: 'auto' | 'read';
  /** How long new connections are taken after SIGTERM. */
  readonly drainDelayMs: number;
  /** How long running requests may go on after that. */
  readonly drainMs: number;
  readonly log: LogConfig;
}

interface CacheConfig {
  readonly directory: string;
  /** Undefined: unlimited. */
  readonly maxSize: number | undefined;
  readonly minFree: number;
  readonly manifestMemory: number;
  /** 0: none. */
  readonly blobMemory: number;
  /** Undefined: never. */
  readonly unusedForMs: number | undefined;
  /** From one verification of the whole store to the next. Undefined: never. */
  readonly verifyEveryMs: number | undefined;
  /** Bytes that a verification reads in a second. */
  readonly verifyRate: number;
}

export interface TagPolicyConfig {
  readonly ttlMs: number;
  readonly staleForMs: number;
  readonly deadlineMs: number;
  /** Picomatch globs of tags. */
  readonly immutable: readonly string[];
  readonly onDeleted: 'drop' | 'keep';
  /** Pulls that are not spent on tags that have moved, where upstream counts them. */
  readonly quotaReserve: number;
}

export interface UpstreamTimeouts {
  readonly connectMs: number;
  readonly headersMs: number;
  /** The longest silence inside a body. */
  readonly bodyMs: number;
}

interface LogConfig {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** `auto`: pretty on a terminal, JSON elsewhere. */
  readonly format: 'auto' | 'json' | 'pretty';
}

interface LimitsConfig {
  /** Requests served at the same time, in all and as the share of one client. */
  readonly requests: number;
  readonly requestsPerClient: number;
  /** Open connections, the same. */
  readonly connections: number;
  readonly connectionsPerClient: number;
  readonly headerTimeoutMs: number;
  /** The longest that a client may take nothing of an answer. */
  readonly idleTimeoutMs: number;
  /** To one host of an upstream, at the same time. */
  readonly upstreamConnections: number;
}

export interface UpstreamConfig {
  /** The registry's host as images are named by it: `docker.io`. */
  readonly name: string;
  /** The API is at `<url>/v2/`; the path does not end in "/", but for "/" itself. */
  readonly url: URL;
  /** Other names of the same registry: `index.docker.io`. */
  readonly aliases: readonly string[];
  /** Values of a request's Host header that select this upstream. */
  readonly hosts: readonly string[];
  /** Whether one-segment repositories mean `library/<name>`. */
  readonly addLibrary: boolean;
  readonly credentials?: CredentialsConfig | undefined;
  /** PEM certificates to trust besides the system's. */
  readonly ca?: string | undefined;
  /** Where `ca` was read. */
  readonly caFile?: string | undefined;
  /** Undefined: what the environment says; `none`: none. */
  readonly proxy?: ProxyConfig | 'none' | undefined;
  readonly tags: TagPolicyConfig;
  /** Picomatch globs of repositories; a repository is served if one of `allow` and none of `deny` matches. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  /**
   * Token servers, beyond the registry's own registrable domain, that credentials may be sent to: `host` (at the
   * default port of its scheme) or `host:port`.
   */
  readonly trustedRealms: readonly string[];
  /** Whether redirects and token servers may lead to private addresses. */
  readonly allowPrivateNetworks: boolean;
  /** Whether the registry takes a manifest only where it has the config and the layers that it names. */
  readonly checksReferences: boolean;
  readonly timeouts: UpstreamTimeouts;
}
