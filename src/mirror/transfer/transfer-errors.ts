import type { Digest } from '../../oci/digest.ts';
import { UpstreamError } from '../../upstream/error.ts';

/** The transfer has given nothing for so long that another place is tried. */
export function stallError(upstream: string, stallMs: number): UpstreamError {
  const message = `sent nothing for ${stallMs} ms, and the blob can be had elsewhere`;
  return new UpstreamError(upstream, 'unavailable', 'timeout', message);
}

/** The reader has ended the transfer. */
export function endedError(upstream: string, digest: Digest): UpstreamError {
  return new UpstreamError(upstream, 'unavailable', 'cancelled', `the transfer of ${digest} was ended`);
}

/** The body has ended too early. */
export function shortError(upstream: string, digest: Digest, offset: number): UpstreamError {
  const message = `the body of ${digest} ended at byte ${offset}, before its announced end`;
  return new UpstreamError(upstream, 'unavailable', 'reset', message);
}
