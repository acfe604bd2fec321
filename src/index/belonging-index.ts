import type { Digest } from '../oci/digest.ts';
import type { BelongingSource, ServedSource } from './belonging-source.ts';
import type { Page } from './page.ts';
import type { RepositoryKey } from './repository-key.ts';

/** What is known of a digest's right to be served for a repository. */
export interface BelongingStanding {
  /** How the digest belongs to the repository; undefined if nothing says that it does. */
  readonly source: BelongingSource | undefined;
  /** Whether the repository's own upstream has given the stored bytes. */
  readonly isFromUpstream: boolean;
  /** Whether the bytes were found without a row, so that it is unknown which upstream has given them. */
  readonly isRecovered: boolean;
}

/** A claim on bytes that were already stored when it was made, given by the same upstream. */
export interface WaitingClaim {
  readonly key: RepositoryKey;
  readonly digest: Digest;
  readonly isManifest: boolean;
  /**
   * Bytes; undefined if the bytes that this upstream gave have gone meanwhile. Bytes that another upstream has given
   * since do not count: this upstream's answer confirms nothing about them.
   */
  readonly size: number | undefined;
  /** Place among the waiting claims of the same upstream: a later claim has a higher position. */
  readonly position: number;
}

/**
 * Records which repositories a digest belongs to, and which upstreams have given its bytes. A port of its own: it alone
 * decides what a repository's clients may be served, and code that only stores or counts bytes need not see it.
 */
export interface BelongingIndex {
  /** Whether the digest belongs to the repository in a way that is served (belonging-source.ts). */
  belongs(key: RepositoryKey, digest: Digest): Promise<boolean>;
  standing(key: RepositoryKey, digest: Digest): Promise<BelongingStanding>;
  /**
   * Makes the digest belong to the repository; a source never becomes a weaker one. `given` and `imported` also
   * record that the repository's upstream has given the bytes; from then on, claims on them by this upstream's other
   * repositories wait. If the digest is a manifest's, the repository claims what the manifest refers to, as by
   * `putManifest`.
   */
  putBelonging(key: RepositoryKey, digest: Digest, source: ServedSource): Promise<void>;
  /** Records that the upstream has given the bytes, but not to which repository; claims wait as for `putBelonging`. */
  putOrigin(upstream: string, digest: Digest): Promise<void>;
  deleteBelonging(key: RepositoryKey, digest: Digest): Promise<void>;
  /** Drops a claim that the registry has denied. A digest that belongs by more than a claim keeps its belonging. */
  dropClaim(key: RepositoryKey, digest: Digest): Promise<void>;
  /** Digests that belong to the repository, if only by a claim, stored or not, in the order of their text. */
  belongings(key: RepositoryKey, page: Page<Digest>): Promise<readonly Digest[]>;
  /** Repositories that the digest belongs to, if only by a claim. */
  repositoriesOf(digest: Digest, limit: number): Promise<readonly RepositoryKey[]>;

  /**
   * The latest claim of the upstream's repositories that waits to be confirmed.
   * @param before position: only claims made before it
   */
  waitingClaim(upstream: string, before?: number): Promise<WaitingClaim | undefined>;
  /** Counts the upstream's waiting claims. @param limit where the count stops */
  waitingClaims(upstream: string, limit: number): Promise<number>;
  /** Ends the claim's wait; it stays a claim. */
  passOver(key: RepositoryKey, digest: Digest): Promise<void>;
}
