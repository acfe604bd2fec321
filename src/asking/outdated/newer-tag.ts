import type { Tag } from '../../oci/tag.ts';
import { compareVersions, parseVersion, type Version } from '../../versions/version.ts';

/** Whether a tag is a version, so that there may be newer ones of its kind. */
export function isVersionTag(tag: Tag): boolean {
  return parseVersion(tag) !== undefined;
}

/**
 * Returns the newest of `tags` that is newer than `tag` and of its kind: of the same series (`*-alpine3.20`), with as
 * many numbers, and no prerelease unless `tag` is one. A tag of fewer numbers moves with the releases below it: `3` stands
 * for 3.21.2 already, and only `4` is newer. @returns undefined if there is none, or if `tag` is no version
 */
export function findNewerTag(tag: Tag, tags: readonly Tag[]): Tag | undefined {
  const own = parseVersion(tag);
  if (own === undefined) return undefined;
  let newest = { tag, version: own };
  for (const other of tags) {
    const version = parseVersion(other);
    if (version === undefined || !isOfKind(version, own)) continue;
    // Two ways of writing one version, such as v1.2 and 1.2, are not one newer than the other.
    const comparable = { ...version, tag: newest.version.tag };
    if (compareVersions(comparable, newest.version) > 0) newest = { tag: other, version };
  }
  return newest.tag === tag ? undefined : newest.tag;
}

function isOfKind(version: Version, own: Version): boolean {
  return (
    version.kind === own.kind &&
    version.series === own.series &&
    version.numbers.length === own.numbers.length &&
    (version.prerelease === undefined || own.prerelease !== undefined)
  );
}
