import type { Digest } from '../oci/digest.ts';
import type { Edge } from '../oci/manifest.ts';
import type { ManifestEntry } from './manifest-index.ts';
import type { Page } from './page.ts';
import type { RepositoryKey } from './repository-key.ts';

/** What the bytes of a manifest tell of it. */
export interface AdoptedManifest {
  readonly entry: ManifestEntry;
  readonly edges: readonly Edge[];
}

/** What is stored of a repository. What several repositories share counts for each of them. */
export interface RepositoryStats {
  readonly tags: number;
  readonly blobs: number;
  readonly bytes: number;
  /** Milliseconds since the epoch; undefined where nothing is stored. */
  readonly usedAt: number | undefined;
}

/** A piece of a walk through what outlives the bytes. */
export interface GoneWalk {
  readonly of: 'tags' | 'belongings' | 'manifests';
  /** Where the piece before has ended; undefined at the beginning. */
  readonly after: string | undefined;
  /** Rows to look at. */
  readonly limit: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** What was first found to be without bytes at this time or before is forgotten. Milliseconds since the epoch. */
  readonly goneBefore: number;
}

export interface GonePiece {
  /** Where the next piece begins; undefined where there is none. */
  readonly after: string | undefined;
  readonly rows: number;
  readonly forgotten: number;
}

/**
 * What is asked and told of all that is known together, rather than of one tag, manifest or blob: by listings, by what
 * makes index and disk agree, by what forgets.
 */
export interface ContentSurvey {
  /** `registry/repository` of every repository that has a tag or a manifest here that may be served, in ASCII order. */
  repositories(page: Page<string>): Promise<readonly string[]>;
  repositoryStats(key: RepositoryKey): Promise<RepositoryStats>;

  /**
   * In one transaction: records bytes that were found without a row, what they tell of themselves where they are
   * a manifest's, and that they were recovered, so that whom they belong to is not known.
   * @returns false, and nothing is changed, where they have a row.
   */
  adopt(
    blob: { readonly digest: Digest; readonly size: number },
    usedAt: number,
    manifest?: AdoptedManifest,
  ): Promise<boolean>;
  /** Whether the bytes were adopted, and have been here since. */
  isRecovered(digest: Digest): Promise<boolean>;

  /**
   * Goes on with a walk through what outlives the bytes, and forgets what has led to nothing that is stored for as long
   * as the walk says: a tag (its history stays), that a digest belongs to a repository, what a manifest said that
   * belongs to none. What a pin names stays, and what a manifest of the repository refers to that is still known; what
   * a hundred edges of any repository lead to is taken for such. What is stored again meanwhile, or asked for by its
   * tag, begins anew. One transaction for each piece, or for each manifest of one.
   */
  forgetGone(walk: GoneWalk): Promise<GonePiece>;

  /** A remark that a run leaves for the next one; undefined where there is none. */
  note(name: string): Promise<string | undefined>;
  putNote(name: string, text: string): Promise<void>;
}
