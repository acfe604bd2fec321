import pLimit from 'p-limit';
import type { JobContext } from '../jobs/job-work.ts';
import type { BlobStore } from '../../store/blob-store.ts';
import { pullClosure, type ClosureOptions, type PulledClosure } from './pull-closure.ts';
import { PulledParts } from './pulled-parts.ts';
import { PullProgress } from './pull-progress.ts';
import { readPlatform, readReferences, type NamedReference, type WantedOptions } from './wanted-images.ts';

export interface ImagesRequest {
  /** Images as clients name them; without a tag or digest, `latest` is meant. At most 10,000. */
  readonly references: readonly string[];
  /** Names such as `linux/amd64`; absent: all platforms. */
  readonly platforms?: readonly string[] | undefined;
  /** Whether signatures, attestations and SBOMs are pulled as well. */
  readonly referrers?: boolean | undefined;
  /** Whether the last pulls that an upstream allows are left to clients. */
  readonly sparesQuota?: boolean | undefined;
}

export interface PullImagesOptions extends WantedOptions {
  readonly store: Pick<BlobStore, 'stat'>;
}

/** An image that was asked for, and what came of it. */
export interface PulledImage extends NamedReference {
  readonly closure: PulledClosure;
}

/** Parts that are pulled at the same time: more would take upstream's and the disk's turns from clients. */
const PARTS_AT_ONCE = 6;

/** Images at the same time: enough that there is always a part to pull. */
const IMAGES_AT_ONCE = 4;

/**
 * Pulls images into the cache, whole. What is there already is not pulled again.
 * @throws OperatorError `invalid`; the signal's reason; an error that no pull may meet
 */
export async function pullImages(
  request: ImagesRequest,
  options: PullImagesOptions,
  { signal: cancellation, report }: JobContext,
): Promise<readonly PulledImage[]> {
  const { referrers = false, sparesQuota = false } = request;
  const platforms = request.platforms?.map(readPlatform);
  const named = readReferences(request.references, options);
  const progress = new PullProgress(named.length, report);
  const parts = new PulledParts(progress.onPart);
  const { store } = options;
  const run = new AbortController();
  const closureOptions: ClosureOptions = {
    parts,
    limit: pLimit(PARTS_AT_ONCE),
    signal: AbortSignal.any([cancellation, run.signal]),
    endRun: (error) => run.abort(error),
    isStored: async (digest) => (await store.stat(digest)) !== undefined,
  };
  const turns = pLimit(IMAGES_AT_ONCE);
  const pull = async (image: NamedReference): Promise<PulledImage> => {
    const closure = await pullClosure({ ...image.wanted, platforms, referrers, sparesQuota }, closureOptions);
    progress.imageDone();
    return { ...image, closure };
  };
  const pulls = named.map((each) => turns(pull, each));
  // Whatever ends the run, its caller must not find work of it going on.
  await Promise.allSettled(pulls);
  return Promise.all(pulls);
}
