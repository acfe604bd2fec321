import type { BelongingStanding } from '../../index/belonging-index.ts';
import type { PermissionPolicy, RecoveredPolicy } from './permission-policy.ts';

/**
 * Whether upstream's word, without the bytes, is enough to serve for one of its repositories what is here: only where
 * it has itself given the bytes. Of another upstream's bytes it could say what it likes.
 */
export function isWordEnough(standing: BelongingStanding, recovered: RecoveredPolicy): boolean {
  return standing.isFromUpstream || (standing.isRecovered && recovered.isWordEnough);
}

/**
 * Whether what is here is served, with a warning, while upstream cannot be asked and has not refused it:
 * - what was recovered, where no upstream has credentials;
 * - a manifest's claim to what its own upstream has given, where every client could pull that from there.
 */
export function isServedUnconfirmed(
  standing: BelongingStanding,
  { isOpen }: PermissionPolicy,
  recovered: RecoveredPolicy,
): boolean {
  const isOpenClaim = standing.source === 'claimed' && standing.isFromUpstream && isOpen;
  return isOpenClaim || (standing.isRecovered && recovered.isServed);
}
