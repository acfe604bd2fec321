import type { Descriptor } from '../oci/descriptor.ts';
import type { Outcome } from './outcome.ts';

/** A page of tags. */
export interface ListPage {
  readonly entries: readonly string[];
  /** Whether there is more behind the last entry. */
  readonly hasMore: boolean;
  readonly outcome: Outcome;
}

export interface ReferrersPage {
  readonly descriptors: readonly Descriptor[];
  readonly outcome: Outcome;
}
