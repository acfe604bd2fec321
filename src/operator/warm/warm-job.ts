import type { Digest } from '../../oci/digest.ts';
import { newestTags, rangeOf, type TagChoice } from '../closure/newest-tags.ts';
import { failureOf, type PartFailure } from '../closure/part-failure.ts';
import type { PulledClosure } from '../closure/pull-closure.ts';
import { pullImages, type ImagesRequest, type PullImagesOptions } from '../closure/pull-images.ts';
import { readReferences } from '../closure/wanted-images.ts';
import { OperatorError } from '../error.ts';
import type { JobWork } from '../jobs/job-work.ts';

export interface WarmRequest extends ImagesRequest {
  /** The tags that are pulled of a reference without a tag or digest; absent: `latest`. */
  readonly tags?: TagChoice | undefined;
}

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
    const { references, unlisted } = await listTags(request, options);
    const pulled = await pullImages({ ...request, references }, options, context);
    const images = [...pulled.map(({ reference, closure }) => describe(reference, closure)), ...unlisted];
    return { images, failed: images.filter(({ failures }) => failures.length > 0).length };
  };
}

/** Replaces each reference without a tag or digest by those of the chosen tags. @throws OperatorError `invalid` */
async function listTags(
  { references, tags, sparesQuota = false }: WarmRequest,
  options: WarmOptions,
): Promise<{ readonly references: readonly string[]; readonly unlisted: readonly WarmedImage[] }> {
  if (tags === undefined) return { references, unlisted: [] };
  rangeOf(tags);
  const listed: string[] = [];
  const unlisted: WarmedImage[] = [];
  for (const { reference, wanted } of readReferences(references, options)) {
    if (!wanted.isBare) {
      listed.push(reference);
      continue;
    }
    const chosen = await tagsOrFailure(() =>
      newestTags(wanted.repository, tags, { isAnew: false, sparesQuota }),
    );
    if ('reason' in chosen) unlisted.push({ reference, parts: 0, bytes: 0, failures: [chosen] });
    else listed.push(...chosen.map((tag) => `${reference}:${tag}`));
  }
  return { references: listed, unlisted };
}

async function tagsOrFailure(
  list: () => Promise<readonly string[]>,
): Promise<readonly string[] | PartFailure> {
  try {
    return await list();
  } catch (error) {
    const failure = error instanceof OperatorError ? noneOf(error) : failureOf(undefined, error);
    if (failure === undefined) throw error;
    return failure;
  }
}

function noneOf({ message }: OperatorError): PartFailure {
  return { digest: undefined, reason: message };
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
