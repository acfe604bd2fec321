import type { Tag } from '../oci/tag.ts';

/** How long a tag is trusted, and what happens if upstream cannot confirm it. Durations in milliseconds. */
export interface TagPolicy {
  readonly ttlMs: number;
  /** How long past its time to live a tag may be served while upstream fails. */
  readonly staleForMs: number;
  /** How long a client waits for a revalidation before it gets the stale answer. */
  readonly deadlineMs: number;
  /** Whether the tag is never revalidated once cached. */
  readonly isImmutable: (tag: Tag) => boolean;
  /** What to do when upstream says that the tag is gone. */
  readonly onDeleted: 'drop' | 'keep';
  /** Number of upstream's allowed pulls that are kept for content that is not cached, and never spent on moved tags. */
  readonly quotaReserve: number;
}
