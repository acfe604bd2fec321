import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import type { Tag } from '../oci/tag.ts';

/** A repository of one upstream. */
export interface RepositoryKey {
  /** The upstream's name in the config. */
  readonly upstream: string;
  readonly repository: RepositoryName;
}

/** What a tag stood for when it was last checked. Times are milliseconds since the epoch. */
export interface TagEntry {
  readonly digest: Digest;
  /** When upstream last confirmed it. */
  readonly checkedAt: number;
}

/** A digest that a tag stood for before. */
export interface TagHistoryEntry {
  readonly digest: Digest;
  readonly replacedAt: number;
}

export type EdgeRole = 'manifest' | 'config' | 'layer' | 'subject';

/** What a manifest refers to. */
export interface Edge {
  readonly role: EdgeRole;
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType: string;
}

/** What is known of a stored manifest without reading it. */
export interface ManifestEntry {
  /** As a referrers answer shows it: with `artifactType` and `annotations` where they are. */
  readonly descriptor: Descriptor;
  readonly subject: Digest | undefined;
}

export interface Page<T> {
  /** Exclusive; it need not exist. */
  readonly after?: T | undefined;
  readonly limit: number;
}

export interface IndexStats {
  readonly blobs: number;
  readonly bytes: number;
}

/**
 * What is known about the bytes: tags, manifests and their edges, which digests belong to which repository,
 * last use. A cache of the truth on disk: it may be lost, and then it is built anew. Every method rejects with
 * IndexError (index/error.ts) where the index cannot do its work; with IndexDamagedError where it is broken.
 * Every implementation passes `content-index.contract.ts`.
 */
export interface ContentIndex {
  tag(key: RepositoryKey, tag: Tag): Promise<TagEntry | undefined>;
  /** Sets the tag; a different digest that it stood for before goes into its history. */
  putTag(key: RepositoryKey, tag: Tag, entry: TagEntry): Promise<void>;
  /** Drops the tag; its last digest goes into its history. */
  deleteTag(key: RepositoryKey, tag: Tag, deletedAt: number): Promise<void>;
  /** Tags of the repository in ASCII order. */
  tags(key: RepositoryKey, page: Page<string>): Promise<readonly Tag[]>;
  /** The newest first. */
  tagHistory(key: RepositoryKey, tag: Tag): Promise<readonly TagHistoryEntry[]>;

  manifest(digest: Digest): Promise<ManifestEntry | undefined>;
  /**
   * In one transaction: the manifest, what it refers to, and that it and all of that (but its subject)
   * belongs to the repository.
   */
  putManifest(key: RepositoryKey, entry: ManifestEntry, edges: readonly Edge[]): Promise<void>;
  edges(manifest: Digest): Promise<readonly Edge[]>;
  /** Stored manifests of the repository whose subject is `subject`. */
  referrers(key: RepositoryKey, subject: Digest): Promise<readonly Descriptor[]>;

  /** Whether the digest is known to belong to the repository. */
  belongs(key: RepositoryKey, digest: Digest): Promise<boolean>;
  putBelonging(key: RepositoryKey, digest: Digest): Promise<void>;
  deleteBelonging(key: RepositoryKey, digest: Digest): Promise<void>;
  /**
   * The size that the manifests' descriptors give for the digest; undefined where none does or they disagree:
   * a manifest that lies about another's layer must not decide how long that is.
   */
  describedSize(digest: Digest): Promise<number | undefined>;

  /** Records that bytes were committed. */
  putBlob(blob: { readonly digest: Digest; readonly size: number }, usedAt: number): Promise<void>;
  /** Records that bytes are gone; were they a manifest's, then `manifest`, `edges` and `referrers` forget it. */
  deleteBlob(digest: Digest): Promise<void>;
  /** Records uses, many at once. Unknown digests are passed over; a time never goes back. */
  touch(uses: ReadonlyMap<Digest, number>): Promise<void>;
  stats(): Promise<IndexStats>;

  /** `upstream/repository` of every repository that has a tag or a manifest here, in ASCII order. */
  repositories(page: Page<string>): Promise<readonly string[]>;

  close(): Promise<void>;
}
