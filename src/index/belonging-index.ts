import type { Digest } from '../oci/digest.ts';
import type { BelongingSource, ServedSource } from './belonging-source.ts';
import type { Page } from './page.ts';
import type { RepositoryKey } from './repository-key.ts';

/** What is known of a digest's right to be served for a repository. */
export interface BelongingStanding {
  /** How it belongs to the repository; undefined where nothing says that it does. */
  readonly source: BelongingSource | undefined;
  /** The repository's upstream has itself given the bytes that are here. */
  readonly isFromUpstream: boolean;
  /** The bytes were found without a row: which upstream has given them is not known. */
  readonly isRecovered: boolean;
}

/** A claim whose bytes were here when it was made, given by the same upstream. */
export interface WaitingClaim {
  readonly key: RepositoryKey;
  readonly digest: Digest;
  readonly isManifest: boolean;
  /**
   * Bytes that are stored; undefined where they have gone meanwhile, also where only another upstream has given them
   * again: of its bytes this one's word confirms nothing.
   */
  readonly size: number | undefined;
  /** Of those of its upstream that wait, one that was made later has a higher one. */
  readonly position: number;
}

/**
 * Whose the bytes are: of repositories by belongings, of upstreams by what each has given. A port of its own, since it
 * alone decides who may be served what: what only stores or counts bytes need not see it.
 */
export interface BelongingIndex {
  /** Whether the digest belongs to the repository in a way that is served (belonging-source.ts). */
  belongs(key: RepositoryKey, digest: Digest): Promise<boolean>;
  standing(key: RepositoryKey, digest: Digest): Promise<BelongingStanding>;
  /**
   * Makes the digest belong to the repository; a source never becomes a weaker one. `given` and `imported` also
   * record that its upstream has given the bytes; claims of its other repositories wait from then on. Where the digest
   * is a manifest's, the repository claims what that refers to, as by `putManifest`.
   */
  putBelonging(key: RepositoryKey, digest: Digest, source: ServedSource): Promise<void>;
  /** Records that the upstream has given the bytes, without a repository that has them by that; claims wait as above. */
  putOrigin(upstream: string, digest: Digest): Promise<void>;
  deleteBelonging(key: RepositoryKey, digest: Digest): Promise<void>;
  /** The registry has denied what a manifest claims. What belongs by more than a claim is left as it is. */
  dropClaim(key: RepositoryKey, digest: Digest): Promise<void>;
  /** What belongs to the repository, were it only by a claim, stored or not, in the order of the digests' text. */
  belongings(key: RepositoryKey, page: Page<Digest>): Promise<readonly Digest[]>;
  /** Repositories that the digest belongs to, were it only by a claim. */
  repositoriesOf(digest: Digest, limit: number): Promise<readonly RepositoryKey[]>;

  /**
   * Of the claims of the upstream's repositories that wait to be confirmed, the one that was made last.
   * @param before a position: only what was made before that
   */
  waitingClaim(upstream: string, before?: number): Promise<WaitingClaim | undefined>;
  /** @param limit where more than so many wait, they are not counted further */
  waitingClaims(upstream: string, limit: number): Promise<number>;
  /** The claim does not wait any longer; it stays a claim. */
  passOver(key: RepositoryKey, digest: Digest): Promise<void>;
}
