import { AccessError } from '../../access/access-error.ts';
import type { Outcome } from '../../repository/outcome.ts';
import type { CacheStatus } from '../../http/cache-status.ts';
import { RegistryError } from '../../oci/error.ts';
import { StoreError, VerificationError } from '../../store/error.ts';
import { UpstreamError } from '../../upstream/error.ts';

/**
 * Returns the Cache-Status of an answer.
 * @param outcome undefined if neither cache nor upstream had a part in the answer
 */
export function statusOfOutcome(outcome: Outcome | undefined): CacheStatus {
  if (outcome === undefined) return { local: true };
  const { hit, fwd, stored, collapsed, ttlMs, detail } = outcome;
  const details = { stored, collapsed, ttlMs, detail };
  return hit ? { hit: true, ...details } : { fwd: fwd ?? 'uri-miss', ...details };
}

/**
 * Returns the Cache-Status of an error. It says `fwd` only if upstream was really asked (RFC 9211 §2.2), with the
 * status of its answer, if any (§2.3); a remembered refusal is a hit; a refusal of Larder's own is neither. It says
 * `fwd=miss` and not `uri-miss`, since an error leaves open whether nothing was cached, or only content that may not be
 * served.
 */
export function statusOfError(error: unknown): CacheStatus {
  if (error instanceof UpstreamError) return statusOfUpstreamError(error);
  if (error instanceof VerificationError) return { fwd: 'miss', detail: 'wrong-bytes' };
  if (error instanceof RegistryError) return { local: true, detail: error.code };
  // A refused request is not told from one for what is not there.
  if (error instanceof AccessError) {
    return { local: true, detail: error.failure === 'denied' ? 'NAME_UNKNOWN' : error.failure };
  }
  return { local: true, detail: error instanceof StoreError ? `store: ${error.code}` : 'internal-error' };
}

function statusOfUpstreamError({ failure, reason, status, wasAsked }: UpstreamError): CacheStatus {
  if (wasAsked) return { fwd: 'miss', fwdStatus: status, detail: reason };
  const isRemembered = failure === 'absent' || failure === 'denied';
  return isRemembered ? { hit: true, detail: reason } : { local: true, detail: reason };
}
