import pLimit from 'p-limit';
import type { Digest } from '../../oci/digest.ts';
import { formatImageReference, type ImageReference } from '../../oci/image-reference.ts';
import { parseTag, type Tag } from '../../oci/tag.ts';
import { UpstreamError } from '../../upstream/error.ts';
import type { Askers } from '../askers.ts';

/** An image that is to be locked. */
export interface ImageToLock {
  readonly image: ImageReference;
  /** The wanted platforms; absent: all. */
  readonly platforms?: readonly string[] | undefined;
}

/** An image with the digest that its tag stands for. */
interface LockedDigest extends ImageToLock {
  readonly image: ImageReference & { readonly digest: Digest };
}

/** An image whose registry has not told a digest. */
interface UnlockedImage {
  /** The image in full. */
  readonly ref: string;
  readonly reason: string;
}

export interface LockResult {
  readonly locked: readonly LockedDigest[];
  readonly failed: readonly UnlockedImage[];
}

/** What has become of a locked image. */
export type LockState =
  /** Its tag stands for the locked digest. */
  | { readonly ref: string; readonly state: 'same' }
  /** Its tag stands for another digest. */
  | { readonly ref: string; readonly state: 'moved'; readonly now: Digest }
  /** There is no such tag any more. */
  | { readonly ref: string; readonly state: 'gone' }
  /** It has no tag, or no digest: nothing to compare. */
  | { readonly ref: string; readonly state: 'unlocked' }
  | { readonly ref: string; readonly state: 'unknown'; readonly reason: string };

/** Questions to registries at the same time. */
const AT_ONCE = 8;

/** The tag that clients mean if none is named. */
const LATEST = parseTag('latest');

/**
 * Finds out for which digests the tags of images stand, in their order. An image that has a digest keeps it, and nothing
 * is asked.
 */
export async function lockImages(images: readonly ImageToLock[], askers: Askers): Promise<LockResult> {
  const limit = pLimit(AT_ONCE);
  const digests = new DigestsNow(askers);
  const results = await Promise.all(distinct(images).map((each) => limit(() => lockImage(each, digests))));
  return {
    locked: results.filter((each) => 'image' in each),
    failed: results.filter((each) => 'reason' in each),
  };
}

async function lockImage(each: ImageToLock, digests: DigestsNow): Promise<LockedDigest | UnlockedImage> {
  const { image } = each;
  if (image.digest !== undefined) return { ...each, image: { ...image, digest: image.digest } };
  const tag = image.tag ?? LATEST;
  try {
    return { ...each, image: { ...image, tag, digest: await digests.of(image, tag) } };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    return { ref: formatImageReference({ ...image, tag }), reason: error.message };
  }
}

function distinct(images: readonly ImageToLock[]): readonly ImageToLock[] {
  return [...new Map(images.map((each) => [JSON.stringify([each.image, each.platforms]), each])).values()];
}

/** Compares locked images with what their tags stand for now, in their order. */
export async function checkLocks(
  images: readonly ImageToLock[],
  askers: Askers,
): Promise<readonly LockState[]> {
  const limit = pLimit(AT_ONCE);
  const digests = new DigestsNow(askers);
  return Promise.all(images.map(({ image }) => limit(() => stateOf(image, digests))));
}

async function stateOf(image: ImageReference, digests: DigestsNow): Promise<LockState> {
  const ref = formatImageReference(image);
  const { tag, digest: locked } = image;
  if (tag === undefined || locked === undefined) return { ref, state: 'unlocked' };
  try {
    const now = await digests.of(image, tag);
    return now === locked ? { ref, state: 'same' } : { ref, state: 'moved', now };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    if (error.failure === 'absent') return { ref, state: 'gone' };
    return { ref, state: 'unknown', reason: error.message };
  }
}

/** What tags stand for now. Each tag is asked about once, however often it is listed. */
class DigestsNow {
  readonly #askers: Askers;
  readonly #asked = new Map<string, Promise<Digest>>();

  constructor(askers: Askers) {
    this.#askers = askers;
  }

  /** @throws UpstreamError */
  of({ registry, repository }: ImageReference, tag: Tag): Promise<Digest> {
    const key = formatImageReference({ registry, repository, tag });
    const asked = this.#asked.get(key);
    if (asked !== undefined) return asked;
    const asker = this.#askers.of({ name: registry, scheme: undefined });
    const asking = asker.resolve(repository, { kind: 'tag', tag }).then(({ digest }) => digest);
    this.#asked.set(key, asking);
    return asking;
  }
}
