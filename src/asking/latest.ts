import pLimit from 'p-limit';
import { AskError } from './error.ts';
import type { Asked } from './asked.ts';
import type { Asker } from './asker.ts';
import { createdAt } from './created-at.ts';
import { NewestOfMainSeries, NewestVersions } from '../versions/newest.ts';
import { isInRange, type VersionRange } from '../versions/range.ts';
import { parseVersion, type Version } from '../versions/version.ts';

/** Which tags count, and by what they are compared. */
export interface LatestQuestion {
  readonly range: VersionRange | undefined;
  readonly prerelease: boolean;
  readonly isChosen: (tag: string) => boolean;
  /** Whether the user chose tags by name, and so has said which series are meant. */
  readonly isAnySeries: boolean;
}

/** Most tags of which one command asks when each was made. Each takes two or three questions, which Docker Hub counts. */
const MAX_CREATED = 200;

/** Questions to one registry at the same time. */
const PARALLEL = 4;

/** What cosign and the referrers tag schema store beside images. */
const ARTIFACT = /^sha(?:256|512)-[\da-f]{64,}/;

/** Finds the newest tag by version; reads every page. @returns undefined if no tag that counts is a version or a date */
export async function latestByVersion(
  pages: AsyncIterable<readonly string[]>,
  question: LatestQuestion,
): Promise<Version | undefined> {
  const newest = question.isAnySeries ? new NewestVersions(1) : new NewestOfMainSeries();
  for await (const page of pages) {
    for (const tag of page) {
      const version = question.isChosen(tag) ? parseVersion(tag) : undefined;
      if (version !== undefined && counts(version, question)) newest.add(version);
    }
  }
  return newest instanceof NewestVersions ? newest.newest()[0] : newest.newest();
}

/**
 * Finds the tag whose image was made last, as its config says.
 * @throws AskError if too many tags count
 */
export async function latestByCreated(
  asker: Asker,
  { repository }: Pick<Asked, 'repository'>,
  question: LatestQuestion,
): Promise<{ readonly tag: string; readonly created: string } | undefined> {
  const tags = await candidates(asker.tags(repository), question);
  const limit = pLimit(PARALLEL);
  const dated = await Promise.all(
    tags.map((tag) => limit(async () => ({ tag, created: await createdAt(asker, repository, tag) }))),
  );
  const known = dated.flatMap(({ tag, created }) => (created === undefined ? [] : [{ tag, created }]));
  const [newest] = known.toSorted(
    (a, b) => Date.parse(b.created) - Date.parse(a.created) || (a.tag < b.tag ? -1 : 1),
  );
  return newest;
}

async function candidates(
  pages: AsyncIterable<readonly string[]>,
  question: LatestQuestion,
): Promise<readonly string[]> {
  const tags: string[] = [];
  for await (const page of pages) {
    tags.push(
      ...page.filter((tag) => !ARTIFACT.test(tag) && question.isChosen(tag) && mayCount(tag, question)),
    );
    if (tags.length <= MAX_CREATED) continue;
    throw new AskError(
      `more than ${MAX_CREATED} tags would have to be asked for when they were made: choose fewer by --match, ` +
        '--exclude or --semver',
    );
  }
  return tags;
}

/** By the time of making, tags that are no versions count, too, unless a range was given. */
function mayCount(tag: string, question: LatestQuestion): boolean {
  const version = parseVersion(tag);
  return version === undefined ? question.range === undefined : counts(version, question);
}

function counts(version: Version, { range, prerelease }: LatestQuestion): boolean {
  if (range !== undefined) return isInRange(version, range, prerelease);
  return prerelease || version.prerelease === undefined;
}
