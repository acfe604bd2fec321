import type { TagIndex } from '../index/tag-index.ts';
import { parseRepositoryName } from '../oci/repository-name.ts';
import { parseTag } from '../oci/tag.ts';

/** A name that is never cached: to look it up costs one row, even if much is cached. */
const PROBED = {
  key: { registry: '', repository: parseRepositoryName('larder/probe') },
  tag: parseTag('probe'),
} as const;

/** Looks up a tag. @throws IndexError if the index cannot answer */
export async function probe(index: Pick<TagIndex, 'tag'>): Promise<void> {
  await index.tag(PROBED.key, PROBED.tag);
}
