import type { Digest } from '../../oci/digest.ts';
import type { PartFailure } from '../closure/part-failure.ts';
import type { PulledClosure } from '../closure/pull-closure.ts';
import { pullImages, type ImagesRequest, type PullImagesOptions } from '../closure/pull-images.ts';
import type { JobWork } from '../jobs/job-work.ts';

export type WarmRequest = ImagesRequest;

/** What came of one reference. */
interface WarmedImage {
  readonly reference: string;
  /** The digest that it stands for; absent if that could not be found out. */
  readonly digest?: Digest | undefined;
  /** Its manifests and blobs that are in the cache now, and their bytes. */
  readonly parts: number;
  readonly bytes: number;
  /** The first failures; the image is whole in the cache if there are none. */
  readonly failures: readonly PartFailure[];
}

export interface WarmResult {
  readonly images: readonly WarmedImage[];
  /** How many images are not whole. */
  readonly failed: number;
}

export type WarmOptions = PullImagesOptions;

/** Failures of one image that are kept: an index may have thousands of parts. */
const MAX_FAILURES = 20;

/** Returns the work that pulls images into the cache, whole. What is there already is not pulled again. */
export function warmJob(options: WarmOptions): JobWork<WarmRequest, WarmResult> {
  return async (request, context) => {
    const pulled = await pullImages(request, options, context);
    const images = pulled.map(({ reference, closure }) => describe(reference, closure));
    return { images, failed: images.filter(({ failures }) => failures.length > 0).length };
  };
}

function describe(reference: string, { digest, parts, failures }: PulledClosure): WarmedImage {
  return {
    reference,
    digest,
    parts: parts.length,
    bytes: parts.reduce((sum, { size }) => sum + size, 0),
    failures: failures.slice(0, MAX_FAILURES),
  };
}
