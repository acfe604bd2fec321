/** What a request is authorized for: a repository of the host it goes to. */
export interface Place {
  /** `https://ghcr.io`. */
  readonly origin: string;
  /** As that host names it; undefined where the path names none (an object store, a ping). */
  readonly repository: string | undefined;
  /** Where that host's API begins. */
  readonly pingUrl: URL;
  /** Whether it is the configured registry itself: only there the account counts. */
  readonly isOwn: boolean;
}

const REPOSITORY = /^\/v2\/(?:(.+)\/(?:manifests|blobs|referrers)\/[^/]+|(.+)\/tags\/list)$/;

/**
 * The place of a URL that a request to the upstream at `base` led to. A redirect may lead to another
 * repository of the same host (Harbor adds `library/`) or to another registry (registry.k8s.io).
 * @param repository what the upstream was asked about: it holds for its own paths that name none
 */
export function placeOf(url: URL, base: URL, repository?: string): Place {
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
