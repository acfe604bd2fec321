import type { Descriptor } from '../oci/descriptor.ts';
import type { Outcome } from './outcome.ts';

/** A page of tags. */
export interface ListPage {
  readonly entries: readonly string[];
  /** Whether there are more entries after the last one. */
  readonly hasMore: boolean;
  readonly outcome: Outcome;
}

export interface ReferrersPage {
  readonly descriptors: readonly Descriptor[];
  readonly outcome: Outcome;
}
