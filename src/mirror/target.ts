import type { RepositoryKey } from '../index/repository-key.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { PermissionPolicy } from './permission/permission-policy.ts';
import type { TagPolicy } from './tag-policy.ts';

/** An upstream, how its tags are treated, and whose word is enough for what it has. */
export interface MirroredUpstream {
  readonly upstream: Upstream;
  readonly tags: TagPolicy;
  readonly permission: PermissionPolicy;
}

/** One repository of one upstream: where a request is to be answered from. */
export interface Target extends MirroredUpstream {
  readonly key: RepositoryKey;
  /** The client takes no older answer about a tag or a list than this, milliseconds. Undefined: what others get. */
  readonly maxAgeMs?: number;
}

export function isSameRepository(a: Target, b: Target): boolean {
  return a.key.registry === b.key.registry && a.key.repository === b.key.repository;
}
