import type { BelongingStanding } from '../../index/belonging-index.ts';
import type { PermissionPolicy, RecoveredPolicy } from './permission-policy.ts';

/**
 * Whether upstream's word, without the bytes, is enough to serve cached bytes for one of its repositories. It is enough
 * only if this upstream has given the bytes itself: about another upstream's bytes it could say anything.
 */
export function isWordEnough(standing: BelongingStanding, recovered: RecoveredPolicy): boolean {
  return standing.isFromUpstream || (standing.isRecovered && recovered.isWordEnough);
}

/**
 * Whether cached bytes are served, with a warning, while upstream cannot be asked and has not refused them:
 * - recovered bytes, if no upstream has credentials;
 * - bytes that a manifest claims and its own upstream has given, if every client could pull them from there.
 */
export function isServedUnconfirmed(
  standing: BelongingStanding,
  { isOpen }: PermissionPolicy,
  recovered: RecoveredPolicy,
): boolean {
  const isOpenClaim = standing.source === 'claimed' && standing.isFromUpstream && isOpen;
  return isOpenClaim || (standing.isRecovered && recovered.isServed);
}
