import type { Digest } from '../../oci/digest.ts';
import { RegistryError } from '../../oci/error.ts';
import { StoreError, VerificationError } from '../../store/error.ts';
import { UpstreamError } from '../../upstream/error.ts';

/** Why a part of an image could not be pulled, in words for the operator. */
export interface PartFailure {
  /** Undefined: what the reference stands for could not be found out. */
  readonly digest: Digest | undefined;
  readonly reason: string;
}

/** Returns the failure that an error means; undefined if it is none that a pull may meet. */
export function failureOf(digest: Digest | undefined, error: unknown): PartFailure | undefined {
  return isExpected(error) ? { digest, reason: error.message } : undefined;
}

/** Whether there is no such thing, or it cannot be known since no upstream may be asked. */
export function isNothing(error: unknown): boolean {
  return error instanceof UpstreamError && (error.failure === 'absent' || error.reason === 'offline');
}

function isExpected(error: unknown): error is Error {
  return (
    error instanceof UpstreamError ||
    error instanceof RegistryError ||
    error instanceof VerificationError ||
    error instanceof StoreError
  );
}
