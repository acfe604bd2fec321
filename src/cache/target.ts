import type { RepositoryKey } from '../index/content-index.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { TagPolicy } from './policy.ts';

/** An upstream, and how its tags are treated. */
export interface MirroredUpstream {
  readonly upstream: Upstream;
  readonly tags: TagPolicy;
}

/** One repository of one upstream: where a request is to be answered from. */
export interface Target extends MirroredUpstream {
  readonly key: RepositoryKey;
  /** The client takes no older answer about a tag or a list than this, milliseconds. Undefined: what others get. */
  readonly maxAgeMs?: number;
}

export function isSameRepository(a: Target, b: Target): boolean {
  return a.key.upstream === b.key.upstream && a.key.repository === b.key.repository;
}
