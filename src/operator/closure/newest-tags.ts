import { quoted } from '../../text/quoted.ts';
import type { Asking, Repository } from '../../repository/repository.ts';
import { NewestVersions } from '../../versions/newest.ts';
import { isInRange, parseVersionRange, VersionRangeError, type VersionRange } from '../../versions/range.ts';
import { parseVersion } from '../../versions/version.ts';
import { OperatorError } from '../error.ts';

/** Which tags of a repository are wanted: versions, the newest first. */
export interface TagChoice {
  /** A range such as `>=1.2 <2`; absent: every version. */
  readonly semver?: string | undefined;
  /** How many; absent: all. */
  readonly latest?: number | undefined;
}

/** Tags asked for at a time. */
const PAGE = 1000;

/** Reads the range of a choice. @throws OperatorError `invalid` */
export function rangeOf({ semver }: TagChoice): VersionRange {
  try {
    return parseVersionRange(semver ?? '*');
  } catch (error) {
    if (!(error instanceof VersionRangeError)) throw error;
    throw new OperatorError('invalid', error.message, { cause: error });
  }
}

/**
 * Chooses tags of a repository.
 * @throws OperatorError `unknown` if it has none of them; as `Repository.tags` does
 */
export async function newestTags(
  repository: Repository,
  { semver, latest }: TagChoice,
  asking: Asking,
): Promise<readonly string[]> {
  const range = rangeOf({ semver });
  const newest = new NewestVersions(latest);
  let after: string | undefined;
  for (;;) {
    const { entries, hasMore } = await repository.tags({ limit: PAGE, after }, asking);
    for (const tag of entries) {
      const version = parseVersion(tag);
      if (version !== undefined && isInRange(version, range)) newest.add(version);
    }
    after = entries.at(-1);
    if (!hasMore || after === undefined) break;
  }
  const tags = newest.newest().map(({ tag }) => tag);
  if (tags.length > 0) return tags;
  const { registry, repository: name } = repository.key;
  throw new OperatorError('unknown', `${registry}/${name} has no version ${quoted(semver ?? '*')}`);
}
