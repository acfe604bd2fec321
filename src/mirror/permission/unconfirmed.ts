import type { RepositoryKey } from '../../index/repository-key.ts';
import type { Digest } from '../../oci/digest.ts';
import { UpstreamError } from '../../upstream/error.ts';

/** Why what a manifest of the repository names is not served, though it is here: `cause` kept upstream from confirming it. */
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
