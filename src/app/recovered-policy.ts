import type { RecoveredPolicy } from '../mirror/permission/permission-policy.ts';
import type { ConfiguredUpstream } from './upstreams.ts';

/**
 * Decides what becomes of recovered blobs (docs/adr/0005). Nothing tells any more through which upstream they came, so
 * one upstream that is not open to all clients alike closes all of them.
 */
export function recoveredPolicy(
  upstreams: readonly { readonly permission: Pick<ConfiguredUpstream['permission'], 'isOpen'> }[],
): RecoveredPolicy {
  const isServed = upstreams.every(({ permission }) => permission.isOpen);
  return { isServed, isWordEnough: isServed || upstreams.length === 1 };
}
