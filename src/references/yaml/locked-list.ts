import { stringify } from 'yaml';
import { formatImageReference, type ImageReference } from '../../oci/image-reference.ts';
import type { Digest } from '../../oci/digest.ts';

/** An image whose tag was resolved. */
export interface LockedImage {
  readonly image: ImageReference & { readonly digest: Digest };
  /** The wanted platforms; absent: all. */
  readonly platforms?: readonly string[] | undefined;
}

const HEADING = `# Made by "larder lock". The digests are what is meant; the tags are for people, and for "larder lock --check".
`;

/**
 * Writes a list of images with their digests, in the form that `readImageList` reads: the same images give the same
 * text, so that a difference between two of them is what has changed. An image that is listed more than once is wanted
 * for the platforms of all its entries.
 */
export function formatLockedList(images: readonly LockedImage[]): string {
  const entries = Map.groupBy(images, ({ image }) => formatImageReference(image));
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  const items = sorted.map(([ref, same]) => ({ ref, ...platformsOf(same) }));
  return HEADING + stringify({ images: items }, { lineWidth: 0 });
}

function platformsOf(entries: readonly LockedImage[]): Pick<LockedImage, 'platforms'> {
  const wanted = new Set<string>();
  for (const { platforms } of entries) {
    if (platforms === undefined) return {};
    for (const platform of platforms) wanted.add(platform);
  }
  return { platforms: [...wanted].sort() };
}
