import type { Digest } from '../oci/digest.ts';
import type { Tag } from '../oci/tag.ts';
import type { Page } from './page.ts';
import type { RepositoryKey } from './repository-key.ts';

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

/** What the tags of repositories stand for, and stood for. */
export interface TagIndex {
  tag(key: RepositoryKey, tag: Tag): Promise<TagEntry | undefined>;
  /** Sets the tag. A different digest than before begins a new spell (`tagHistory`). */
  putTag(key: RepositoryKey, tag: Tag, entry: TagEntry): Promise<void>;
  /** Drops the tag, which ends its spell. @param ended `deleted` unless told */
  deleteTag(key: RepositoryKey, tag: Tag, deletedAt: number, ended?: TagEnd): Promise<void>;
  /** Forgets the repository's tags and their history. Not one transaction. @returns how many tags it had. */
  deleteTags(key: RepositoryKey): Promise<number>;
  /** Tags of the repository in ASCII order. */
  tags(key: RepositoryKey, page: Page<string>): Promise<readonly Tag[]>;
  /** Tags of the repository that stand for the digest, in ASCII order. */
  tagsOf(key: RepositoryKey, digest: Digest, limit: number): Promise<readonly Tag[]>;
  /**
   * What the tag stands for and stood for, the newest first. Nothing but `deleteTags` removes it, and its own bound:
   * of each tag the last 1,000 spells that have ended are kept.
   */
  tagHistory(key: RepositoryKey, tag: Tag): Promise<readonly TagSpell[]>;
}
