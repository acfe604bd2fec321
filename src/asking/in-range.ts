import { NewestVersions } from '../versions/newest.ts';
import { isInRange, type VersionRange } from '../versions/range.ts';
import { parseVersion } from '../versions/version.ts';

export interface RangeQuestion {
  readonly range: VersionRange;
  readonly prerelease?: boolean | undefined;
  /** How many are wanted; absent: all. */
  readonly limit?: number | undefined;
}

/** Chooses the tags in a range, of every series, the newest first. Reads every page before it gives the first tag. */
export async function* newestInRange(
  pages: AsyncIterable<readonly string[]>,
  { range, prerelease, limit }: RangeQuestion,
): AsyncGenerator<readonly string[], void, undefined> {
  const newest = new NewestVersions(limit);
  for await (const page of pages) {
    for (const tag of page) {
      const version = parseVersion(tag);
      if (version !== undefined && isInRange(version, range, prerelease)) newest.add(version);
    }
  }
  yield newest.newest().map(({ tag }) => tag);
}
