import type { Digest } from '../oci/digest.ts';
import type { Tag } from '../oci/tag.ts';
import type { Page } from './page.ts';
import type { RepositoryKey } from './repository-key.ts';

/** The digest that a tag stood for when it was last checked. Times are milliseconds since the epoch. */
export interface TagEntry {
  readonly digest: Digest;
  /** When upstream last confirmed the digest. */
  readonly checkedAt: number;
}

/**
 * How a tag ceased to stand for a digest: upstream gave another digest (`moved`) or said that there is no such tag
 * (`deleted`), an operator removed the tag from the cache (`removed`), or nothing of its image had been stored for long
 * (`forgotten`).
 */
export type TagEnd = 'moved' | 'deleted' | 'removed' | 'forgotten';

/**
 * A period in which a tag stood for one digest, as far as upstream was asked. Times are milliseconds since the epoch.
 * A field that was not recorded at the time is undefined.
 */
export interface TagSpell {
  readonly digest: Digest;
  /** When upstream first gave the digest. */
  readonly since: number | undefined;
  /** How the spell began: as the first known of the tag (`pulled`), or in place of another digest (`moved`). */
  readonly seen: 'pulled' | 'moved' | undefined;
  /** When upstream last confirmed the digest: the tag moved at some time between then and `until`. */
  readonly checkedAt: number | undefined;
  /** When the spell's end was seen; undefined while it lasts. */
  readonly until: number | undefined;
  readonly ended: TagEnd | undefined;
}

/** The digests that the repositories' tags stand for, and stood for. */
export interface TagIndex {
  tag(key: RepositoryKey, tag: Tag): Promise<TagEntry | undefined>;
  /** Sets the tag. Another digest than before begins a new spell (`tagHistory`). */
  putTag(key: RepositoryKey, tag: Tag, entry: TagEntry): Promise<void>;
  /** Drops the tag, which ends its spell. @param ended default: `deleted` */
  deleteTag(key: RepositoryKey, tag: Tag, deletedAt: number, ended?: TagEnd): Promise<void>;
  /** Forgets the repository's tags and their history. Not one transaction. @returns how many tags it had. */
  deleteTags(key: RepositoryKey): Promise<number>;
  /** Tags of the repository in ASCII order. */
  tags(key: RepositoryKey, page: Page<string>): Promise<readonly Tag[]>;
  /** Tags of the repository that stand for the digest, in ASCII order. */
  tagsOf(key: RepositoryKey, digest: Digest, limit: number): Promise<readonly Tag[]>;
  /**
   * The tag's spells, the newest first. Of each tag, the last 1,000 spells that have ended are kept; apart from that
   * bound, only `deleteTags` removes them.
   */
  tagHistory(key: RepositoryKey, tag: Tag): Promise<readonly TagSpell[]>;
}
