import type { Digest } from '../oci/digest.ts';
import type { Edge } from '../oci/manifest.ts';
import type { ManifestEntry } from './manifest-index.ts';
import type { Page } from './page.ts';
import type { RepositoryKey } from './repository-key.ts';

/** The facts about a manifest that its bytes alone tell. */
export interface AdoptedManifest {
  readonly entry: ManifestEntry;
  readonly edges: readonly Edge[];
}

/** What is stored of a repository. A blob that several repositories share counts for each of them. */
export interface RepositoryStats {
  readonly tags: number;
  readonly blobs: number;
  readonly bytes: number;
  /** Last use, in milliseconds since the epoch; undefined if nothing is stored. */
  readonly usedAt: number | undefined;
}

/** What is known and what is stored of a manifest and all that it refers to. */
export interface ClosureStats {
  /** Number of its known manifests and blobs, itself among them. */
  readonly parts: number;
  /** Number of those parts that are stored. */
  readonly blobs: number;
  readonly bytes: number;
}

/** One piece of a walk through the rows that may outlive the bytes. */
export interface GoneWalk {
  readonly of: 'tags' | 'belongings' | 'manifests';
  /** Where the previous piece ended; undefined at the beginning. */
  readonly after: string | undefined;
  /** Rows to look at. */
  readonly limit: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Rows first found without bytes at this time or earlier are forgotten. Milliseconds since the epoch. */
  readonly goneBefore: number;
}

/** The outcome of one piece of such a walk. */
export interface GonePiece {
  /** Where the next piece begins; undefined after the last one. */
  readonly after: string | undefined;
  /** Rows that were looked at. */
  readonly rows: number;
  readonly forgotten: number;
}

/**
 * Questions about the whole index, rather than about one tag, manifest or blob: for listings, for the reconciliation of
 * index and disk, and for forgetting.
 */
export interface ContentSurvey {
  /** `registry/repository` of every repository that has a tag or a manifest here that may be served, in ASCII order. */
  repositories(page: Page<string>): Promise<readonly string[]>;
  repositoryStats(key: RepositoryKey): Promise<RepositoryStats>;
  /** Counts the parts that `closure` gives. Not one transaction. */
  closureStats(root: Digest): Promise<ClosureStats>;

  /**
   * Records in one transaction bytes that were found without a row, what they tell of themselves if they are a
   * manifest's, and that they were recovered: which repositories they belong to is unknown.
   * @returns false if they have a row; nothing is changed then.
   */
  adopt(
    blob: { readonly digest: Digest; readonly size: number },
    usedAt: number,
    manifest?: AdoptedManifest,
  ): Promise<boolean>;
  /** Whether the bytes were adopted and have been stored ever since. */
  isRecovered(digest: Digest): Promise<boolean>;

  /**
   * Does the next piece of a walk through the rows that may outlive the bytes. It forgets a row that has led to nothing
   * stored since `goneBefore`: a tag (its history stays), a belonging, or the record of a manifest that belongs to no
   * repository. It keeps what a pin names, and what a still known manifest of the repository refers to. It also keeps a
   * digest to which a hundred edges of any repositories lead. If a row's bytes are stored again, or a client asks for
   * its tag, the row's time begins anew. Each piece is one transaction, but for manifests each manifest is one.
   */
  forgetGone(walk: GoneWalk): Promise<GonePiece>;

  /** A remark that one run leaves for the next; undefined if there is none. */
  note(name: string): Promise<string | undefined>;
  putNote(name: string, text: string): Promise<void>;
}
