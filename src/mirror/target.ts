import type { RepositoryKey } from '../index/repository-key.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { PermissionPolicy } from './permission/permission-policy.ts';
import type { TagPolicy } from './tag-policy.ts';

/** An upstream, how its tags are treated, and whose word is enough for its content. */
export interface MirroredUpstream {
  readonly upstream: Upstream;
  readonly tags: TagPolicy;
  readonly permission: PermissionPolicy;
}

/** One repository of one upstream, from which a request is answered. */
export interface Target extends MirroredUpstream {
  readonly key: RepositoryKey;
  /** Greatest age of an answer about a tag or a list that the client takes, milliseconds. Absent: any age. */
  readonly maxAgeMs?: number;
}

export function isSameRepository(a: Target, b: Target): boolean {
  return a.key.registry === b.key.registry && a.key.repository === b.key.repository;
}
