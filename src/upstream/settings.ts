import type { CredentialSource } from './credentials/credentials.ts';
import type { ProxyFor } from './connections/proxy.ts';
import type { CertificateFile } from './connections/trust.ts';

/** The settings of one upstream. The composition root makes them from the configuration. */
export interface UpstreamSettings {
  /** The name in the config: `docker.io`. */
  readonly name: string;
  /** The API is at `<url>/v2/`; the URL may have a path. */
  readonly url: URL;
  /** Absent: anonymous. */
  readonly credentials?: CredentialSource | undefined;
  /** PEM certificates trusted besides the system's: for the registry, its token endpoint and its redirects. */
  readonly ca?: string | undefined;
  /** The file that `ca` was read from, if it may change. */
  readonly caFile?: CertificateFile | undefined;
  /** Absent: no request goes through a proxy. */
  readonly proxyFor?: ProxyFor | undefined;
  /** Hosts (`host` or `host:port`) of token endpoints that may get credentials besides the registry's own domain. */
  readonly trustedRealms?: readonly string[] | undefined;
  /** Whether redirects and realms may lead to private and loopback addresses. */
  readonly allowPrivateNetworks?: boolean | undefined;
  /** In milliseconds. */
  readonly timeouts: {
    /** For a connection, TLS included. */
    readonly connectMs: number;
    /** From a request on an open connection to its answer's headers. */
    readonly headersMs: number;
    /** The longest silence inside a body while it is being read. */
    readonly bodyMs: number;
  };
  /** Most connections to one host at the same time; absent: as many as there are requests. */
  readonly connections?: number | undefined;
  /** The User-Agent header: Docker Hub refuses some clients that send none. */
  readonly userAgent: string;
}
