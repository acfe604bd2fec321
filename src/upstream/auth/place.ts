/** The place that a request is authorized for: a repository on the host that the request goes to. */
export interface TokenPlace {
  /** `https://ghcr.io`. */
  readonly origin: string;
  /** The host's own name for it; undefined if the path names none (an object store, a ping). */
  readonly repository: string | undefined;
  /** The base of that host's API. */
  readonly pingUrl: URL;
  /** Whether the host is the configured registry itself: only there the account is used. */
  readonly isOwn: boolean;
}

const REPOSITORY = /^\/v2\/(?:(.+)\/(?:manifests|blobs|referrers)\/[^/]+|(.+)\/tags\/list)$/;

/**
 * Returns the place of a URL that a request to the upstream at `base` led to. A redirect may lead to another
 * repository of the same host (Harbor adds `library/`) or to another registry (registry.k8s.io).
 * @param repository the one that the upstream was asked about; used for upstream's own paths that name none
 */
export function placeOf(url: URL, base: URL, repository?: string): TokenPlace {
  const isOwn = url.origin === base.origin;
  const prefix = isOwn ? base.pathname.replace(/\/$/, '') : '';
  const path = url.pathname.startsWith(prefix) ? url.pathname.slice(prefix.length) : url.pathname;
  const [, ofObject, ofTags] = REPOSITORY.exec(path) ?? [];
  return {
    origin: url.origin,
    repository: ofObject ?? ofTags ?? (isOwn ? repository : undefined),
    pingUrl: new URL(`${url.origin}${prefix}/v2/`),
    isOwn,
  };
}
