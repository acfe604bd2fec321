import type { TagIndex } from '../index/tag-index.ts';
import type { ManifestIndex } from '../index/manifest-index.ts';
import type { RepositoryKey } from '../index/repository-key.ts';
import type { Digest } from '../oci/digest.ts';

/** Parents to look at. Content with this many or more counts as needed, and is left to eviction. */
const MAX_PARENTS = 1000;

/**
 * Returns what leaves a repository together with `root`, one of its manifests or blobs: the content to which no tag and
 * no other manifest of the repository leads, and the content that is only about the root, such as its signatures.
 * Changes nothing.
 */
export async function digestsLeaving(
  index: TagIndex & ManifestIndex,
  key: RepositoryKey,
  root: Digest,
): Promise<ReadonlySet<Digest>> {
  const leaving = new Set([root]);
  let before: number;
  do {
    before = leaving.size;
    for (const candidate of await candidatesOf(index, key, leaving)) {
      if (!(await isNeeded(index, key, candidate, leaving))) leaving.add(candidate);
    }
    // A layer of two manifests is needed until both have left.
  } while (leaving.size > before);
  return leaving;
}

/** Whether a tag of the repository, or a manifest that does not leave it, leads to the digest. */
export async function isNeeded(
  index: TagIndex & ManifestIndex,
  key: RepositoryKey,
  digest: Digest,
  leaving: ReadonlySet<Digest> = new Set(),
): Promise<boolean> {
  const tags = await index.tagsOf(key, digest, 1);
  if (tags.length > 0) return true;
  const parents = await index.parents(digest, MAX_PARENTS, key);
  return parents.length === MAX_PARENTS || parents.some((parent) => !leaving.has(parent));
}

async function candidatesOf(
  index: ManifestIndex,
  key: RepositoryKey,
  leaving: ReadonlySet<Digest>,
): Promise<ReadonlySet<Digest>> {
  const candidates = new Set<Digest>();
  for (const digest of leaving) {
    const edges = await index.edges(digest);
    const contained = edges.filter(({ role }) => role !== 'subject');
    const referrers = await index.referrers(key, digest);
    for (const found of [...contained, ...referrers]) candidates.add(found.digest);
  }
  for (const digest of leaving) candidates.delete(digest);
  return candidates;
}
