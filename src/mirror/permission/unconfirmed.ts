import type { RepositoryKey } from '../../index/repository-key.ts';
import type { Digest } from '../../oci/digest.ts';
import { UpstreamError } from '../../upstream/error.ts';

/** Returns the error for cached content that a manifest claims; `cause` has kept upstream from confirming it. */
export function unconfirmed(
  cause: UpstreamError,
  { repository }: RepositoryKey,
  digest: Digest,
): UpstreamError {
  return new UpstreamError(
    cause.upstream,
    'unavailable',
    'unconfirmed',
    `${digest} is cached, but not yet confirmed for this repository (${repository}): ${cause.said}`,
    { retryAfterMs: cause.retryAfterMs, wasAsked: cause.wasAsked, cause },
  );
}
