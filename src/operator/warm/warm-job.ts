import pLimit from 'p-limit';
import { parsePlatformName, type Platform } from '../../oci/platform.ts';
import { quoted } from '../../text/quoted.ts';
import type { Digest } from '../../oci/digest.ts';
import { parseTag } from '../../oci/tag.ts';
import type { Reference } from '../../oci/reference.ts';
import type { Repository } from '../../repository/repository.ts';
import type { RepositoryTable } from '../../repository/repository-table.ts';
import type { BlobStore } from '../../store/blob-store.ts';
import type { PartFailure } from '../closure/part-failure.ts';
import { pullClosure, type ClosureOptions, type PulledClosure } from '../closure/pull-closure.ts';
import { PulledParts } from '../closure/pulled-parts.ts';
import { OperatorError } from '../error.ts';
import type { JobWork } from '../jobs/job-work.ts';
import { formatSelector, parseSelectors, type NamingOptions, type Selector } from '../selector.ts';
import { WarmProgress } from './warm-progress.ts';

export interface WarmRequest {
  /** Images as clients name them; without a tag or digest, `latest` is meant. At most 10,000. */
  readonly references: readonly string[];
  /** Names such as `linux/amd64`; absent: all platforms. */
  readonly platforms?: readonly string[] | undefined;
  /** Whether signatures, attestations and SBOMs are pulled as well. */
  readonly referrers?: boolean | undefined;
}

/** What came of one reference. */
export interface WarmedImage {
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

export interface WarmOptions {
  readonly repositories: Pick<RepositoryTable, 'find'>;
  readonly naming: NamingOptions;
  readonly store: Pick<BlobStore, 'stat'>;
}

const MAX_REFERENCES = 10_000;

/** Failures of one image that are kept: an index may have thousands of parts. */
const MAX_FAILURES = 20;

/** Parts that are pulled at the same time: more would take upstream's and the disk's turns from clients. */
const PARTS_AT_ONCE = 6;

/** Images at the same time: enough that there is always a part to pull. */
const IMAGES_AT_ONCE = 4;

/** Returns the work that pulls images into the cache, whole. What is there already is not pulled again. */
export function warmJob(options: WarmOptions): JobWork<WarmRequest, WarmResult> {
  return async (request, { signal, report }) => {
    const platforms = request.platforms?.map(readPlatform);
    const named = readReferences(request.references, options);
    const progress = new WarmProgress(named.length, report);
    const parts = new PulledParts(progress.onPart);
    const { store } = options;
    const closureOptions: ClosureOptions = {
      parts,
      limit: pLimit(PARTS_AT_ONCE),
      signal,
      isStored: async (digest) => (await store.stat(digest)) !== undefined,
    };
    const turns = pLimit(IMAGES_AT_ONCE);
    const warm = async ({ reference, wanted }: NamedReference): Promise<WarmedImage> => {
      const closure = await pullClosure(
        { ...wanted, platforms, referrers: request.referrers ?? false },
        closureOptions,
      );
      progress.imageDone();
      return describe(reference, closure);
    };
    const images = await Promise.all(named.map((each) => turns(warm, each)));
    return { images, failed: images.filter(({ failures }) => failures.length > 0).length };
  };
}

interface NamedReference {
  readonly reference: string;
  readonly wanted: { readonly repository: Repository; readonly reference: Reference };
}

/** @throws OperatorError `invalid`, with all references that cannot be read or are not served */
function readReferences(references: readonly string[], options: WarmOptions): readonly NamedReference[] {
  if (references.length > MAX_REFERENCES)
    throw new OperatorError('invalid', `${references.length} references: at most ${MAX_REFERENCES} at once`);
  const mistakes: string[] = [];
  const named = [...new Set(references)].flatMap((reference) => {
    try {
      return [{ reference, wanted: find(reference, options) }];
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      mistakes.push(error.message);
      return [];
    }
  });
  if (mistakes.length > 0) throw new OperatorError('invalid', mistakes.join('\n'));
  return named;
}

function find(text: string, { repositories, naming }: WarmOptions): NamedReference['wanted'] {
  const selectors = parseSelectors(text, naming);
  for (const selector of selectors) {
    if (selector.kind === 'digest')
      throw new OperatorError('invalid', `${quoted(text)} names no repository to pull it from`);
    const repository = repositories.find(selector.key);
    if (repository !== undefined) return { repository, reference: referenceOf(selector) };
  }
  const meant = selectors.map(formatSelector).join(' or ');
  throw new OperatorError('invalid', `${quoted(text)}: the configuration serves no ${meant}`);
}

function referenceOf(selector: Exclude<Selector, { kind: 'digest' }>): Reference {
  switch (selector.kind) {
    case 'repository':
      return { kind: 'tag', tag: parseTag('latest') };
    case 'tag':
      return { kind: 'tag', tag: selector.tag };
    case 'content':
      return { kind: 'digest', digest: selector.digest };
  }
}

function readPlatform(name: string): Platform {
  const platform = parsePlatformName(name);
  if (platform !== undefined) return platform;
  throw new OperatorError('invalid', `${quoted(name)} is no platform such as linux/amd64 or linux/arm/v7`);
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
