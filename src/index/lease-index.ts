import type { Digest } from '../oci/digest.ts';

/**
 * Keeps digests from eviction until a time, for work that reads them later: unlike a pin, a lease ends by itself, exempts
 * only the digests that it names, and is not shown to operators.
 */
export interface LeaseIndex {
  /**
   * Leases the digests, stored or not, which also counts as a use of those that are stored. A lease is only ever
   * prolonged. Forgets leases that have ended. Not one transaction.
   * @param now milliseconds since the epoch
   * @param until when the lease ends, milliseconds since the epoch
   */
  lease(digests: readonly Digest[], now: number, until: number): Promise<void>;
  /** Returns those of the digests whose lease has not ended. @param now milliseconds since the epoch */
  leasedOf(digests: readonly Digest[], now: number): Promise<ReadonlySet<Digest>>;
}
