import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Edge } from '../oci/manifest.ts';
import type { RepositoryName } from '../oci/repository-name.ts';
import type { Tag } from '../oci/tag.ts';
import type { ContentPermission } from './content-permission.ts';
import type { ContentSurvey } from './content-survey.ts';

export type { Edge, EdgeRole } from '../oci/manifest.ts';

/** One repository of one registry. */
export interface RepositoryKey {
  /** The registry's name; of a mirrored one the upstream's, as the config has it. */
  readonly registry: string;
  readonly repository: RepositoryName;
}

/** What a tag stood for when it was last checked. Times are milliseconds since the epoch. */
export interface TagEntry {
  readonly digest: Digest;
  /** When upstream last confirmed it. */
  readonly checkedAt: number;
}

/**
 * How a tag ceased to stand for a digest: upstream gave another one (`moved`), or said that there is no such tag
 * (`deleted`); an operator took it out of the cache (`removed`); nothing of it had been here for long (`forgotten`).
 */
export type TagEnd = 'moved' | 'deleted' | 'removed' | 'forgotten';

/**
 * A time in which a tag stood for one digest, as far as upstream was asked. Times are milliseconds since the epoch.
 * What was not recorded at the time is undefined.
 */
export interface TagSpell {
  readonly digest: Digest;
  /** When upstream first gave it. */
  readonly since: number | undefined;
  /** How it came: as the first that was known of the tag, or in place of the one before. */
  readonly seen: 'pulled' | 'moved' | undefined;
  /** When upstream last confirmed it: a move was at some time between that and `until`. */
  readonly checkedAt: number | undefined;
  /** When its end was seen; undefined while it lasts. */
  readonly until: number | undefined;
  readonly ended: TagEnd | undefined;
}

/** What is known of a stored manifest without reading it. */
export interface ManifestEntry {
  /** As a referrers answer shows it: with `artifactType` and `annotations` where they are. */
  readonly descriptor: Descriptor;
  readonly subject: Digest | undefined;
}

interface PutManifestOptions {
  /** Its bytes were committed, too: recorded as by `putBlob`. */
  readonly stored?: { readonly usedAt: number } | undefined;
  /** Of what it refers to: confirmed rather than claimed, where the upstream has given it. None unless told. */
  readonly vouched?: ReadonlySet<Digest> | undefined;
}

export interface Page<T> {
  /** Exclusive; it need not exist. */
  readonly after?: T | undefined;
  readonly limit: number;
}

/** Stored bytes in their place in the order of eviction. */
export interface StoredUse {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly usedAt: number;
  /** 0: a blob, 1: a manifest, 2: a manifest of manifests. */
  readonly tier: number;
}

/** What is exempt from eviction: a digest, or what a tag stands for at the time; each with all that it refers to. */
export type Pin =
  | { readonly kind: 'digest'; readonly digest: Digest }
  | { readonly kind: 'tag'; readonly key: RepositoryKey; readonly tag: Tag };

export interface PinEntry {
  /** `sha256:…` or `upstream/repository:tag`. */
  readonly name: string;
  readonly pin: Pin;
  /** What the pin exempts now; undefined where the index does not know the tag. */
  readonly digest: Digest | undefined;
  /** Milliseconds since the epoch. */
  readonly pinnedAt: number;
}

interface IndexStats {
  readonly blobs: number;
  readonly bytes: number;
}

/**
 * What is known about the bytes: tags, manifests and their edges, which digests belong to which repository and why,
 * last use. A cache of the truth on disk: it may be lost, and then it is built anew. Every method rejects with
 * IndexError (index/error.ts) where the index cannot do its work; with IndexDamagedError where it is broken.
 * Every implementation passes `content-index.contract.ts`.
 */
export interface ContentIndex extends ContentSurvey, ContentPermission {
  tag(key: RepositoryKey, tag: Tag): Promise<TagEntry | undefined>;
  /** Sets the tag. A different digest than before begins a new spell (`tagHistory`). */
  putTag(key: RepositoryKey, tag: Tag, entry: TagEntry): Promise<void>;
  /** Drops the tag, which ends its spell. @param ended `deleted` unless told */
  deleteTag(key: RepositoryKey, tag: Tag, deletedAt: number, ended?: TagEnd): Promise<void>;
  /** Tags of the repository in ASCII order. */
  tags(key: RepositoryKey, page: Page<string>): Promise<readonly Tag[]>;
  /**
   * What the tag stands for and stood for, the newest first. Nothing but `deleteTags` removes it, and its own bound:
   * of each tag the last 1,000 spells that have ended are kept.
   */
  tagHistory(key: RepositoryKey, tag: Tag): Promise<readonly TagSpell[]>;

  manifest(digest: Digest): Promise<ManifestEntry | undefined>;
  /**
   * All or nothing: the manifest, what it refers to, that it was given to the repository by its upstream under this
   * type, and that the repository claims all of what it refers to (but its subject); of the claims, a failure may leave
   * a part. A manifest that has a subject keeps it where it comes again under a type that knows none.
   */
  putManifest(
    key: RepositoryKey,
    entry: ManifestEntry,
    edges: readonly Edge[],
    options?: PutManifestOptions,
  ): Promise<void>;
  edges(manifest: Digest): Promise<readonly Edge[]>;
  /** Stored manifests that may be served for the repository and whose subject is `subject`; with their types there. */
  referrers(key: RepositoryKey, subject: Digest): Promise<readonly Descriptor[]>;

  /**
   * The size that the manifests' descriptors give for the digest; undefined where none does or they disagree:
   * a manifest that lies about another's layer must not decide how long that is.
   */
  describedSize(digest: Digest): Promise<number | undefined>;

  /** Records that bytes were committed. */
  putBlob(blob: { readonly digest: Digest; readonly size: number }, usedAt: number): Promise<void>;
  /** Records that bytes are gone; were they a manifest's, then `manifest`, `edges` and `referrers` forget it. */
  deleteBlob(digest: Digest): Promise<void>;
  /**
   * Records that bytes are lost though somebody wants them (they have rotted, their file has gone): what a manifest
   * said stays known, so that a pin goes on to exempt what it refers to until upstream gives the bytes again.
   */
  loseBlob(digest: Digest): Promise<void>;
  /**
   * Records uses, many at once. A manifest's use counts for all of its closure. Unknown digests are passed over;
   * a time never goes back. Not one transaction.
   */
  touch(uses: ReadonlyMap<Digest, number>): Promise<void>;
  /**
   * Takes what was used in the future, by more than an hour or two, for used now: a clock was set back, and it would
   * outlive all that is used since. At most a hundred, those of the farthest future first. @returns how many it were
   */
  settleUses(now: number): Promise<number>;
  /** Without looking at each blob. */
  stats(): Promise<IndexStats>;
  /**
   * What is stored, in the order of eviction: by `evictionRank` (eviction-rank.ts), then by digest.
   */
  leastUsed(page: Page<StoredUse>): Promise<readonly StoredUse[]>;

  /**
   * The digest, what it refers to (but its subject), and so on, as far as the manifests are here. Bounded in
   * depth, which is that of an index of indexes of images, and in number.
   */
  closure(digest: Digest): Promise<readonly Digest[]>;
  /** Exempts from eviction, which also counts as a use. Once more changes nothing but the time. */
  pin(pin: Pin, pinnedAt: number): Promise<void>;
  /** @returns whether it was pinned. */
  unpin(pin: Pin): Promise<boolean>;
  /** In ASCII order of their names. */
  pins(page: Page<string>): Promise<readonly PinEntry[]>;

  /** `upstream/repository` of every repository that has a tag or a manifest here that may be served, in ASCII order. */
  repositories(page: Page<string>): Promise<readonly string[]>;

  close(): Promise<void>;
}
