import type { Digest } from '../../oci/digest.ts';
import { RegistryError } from '../../oci/error.ts';
import { parseManifest } from '../../oci/manifest.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { StoreError } from '../../store/error.ts';
import { BundleError } from '../bundle-error.ts';
import { formatImageName } from '../layout/image-name.ts';
import type { OpenedBundle } from '../reading/open-bundle.ts';
import { announce } from './announce.ts';
import { archiveRoots } from './archive-roots.ts';
import { dropUnannounced } from './drop-unannounced.ts';
import { Examiner } from './examiner.ts';
import type { Examined } from './examined.ts';
import type { ImportCache, ImportRequest } from './import-options.ts';
import { Intake } from './intake.ts';
import { layoutRoots } from './layout-roots.ts';
import { nameRoots } from './name-roots.ts';
import { readSmall } from './read-small.ts';
import type { RootWithName, Root } from './root.ts';

/** An image that was imported. */
interface ImportedImage {
  /** `registry/repository:tag` or `registry/repository@digest`. */
  readonly name: string;
  readonly digest: Digest;
  /** Images of an index that were not in the bundle: their platforms, else their digests. */
  readonly leftOut: readonly string[];
  /** Layers that by their type are in no registry, and were not in the bundle. */
  readonly elsewhere: readonly Digest[];
}

/** An image of a bundle that was not imported. */
interface RefusedImage {
  readonly name: string;
  readonly digest: Digest;
  /** What is missing or wrong: at most 20 lines, and one for each image after the first hundred. */
  readonly problems: readonly string[];
}

export interface ImportResult {
  readonly images: readonly ImportedImage[];
  readonly refused: readonly RefusedImage[];
  /** Blobs and manifests of the bundle, and how many of them were not stored before. */
  readonly blobs: number;
  readonly added: number;
}

/** Refused images of which all problems are told: the result of a job must be small. */
const MAX_TOLD = 100;

/** How far an import is: bytes of the bundle that were read. */
interface ImportProgress {
  readonly done: number;
  readonly total: number;
  readonly unit: 'bytes';
}

interface ImportWork {
  readonly signal: AbortSignal;
  readonly report: (progress: ImportProgress) => void;
}

/**
 * Imports a bundle: takes its blobs in, each verified; then gives every image that is whole to its repository. Of an
 * image that is not whole, nothing is announced. If the work is interrupted, the blobs that it has stored stay, without
 * a repository: the next import of the same bundle needs no room for them and does not write them again.
 * @throws BundleError if the bundle is refused: then it has left nothing; StoreError, IndexError, the errors of the file
 *   system, and the signal's reason
 */
export async function importBundle(
  cache: ImportCache,
  bundle: OpenedBundle,
  request: ImportRequest,
  { signal, report }: ImportWork,
): Promise<ImportResult> {
  const intake = new Intake(cache, signal);
  const announced = new Set<Digest>();
  try {
    await takeIn(intake, bundle, report);
    const result = await importImages(cache, intake, request, { signal, announced });
    await dropUnannounced(cache, intake.added, announced);
    return result;
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    // The reason of the refusal matters more than what could not be deleted.
    await dropUnannounced(cache, intake.added, announced).catch(() => {});
    throw refusal;
  }
}

/**
 * Returns the error of an import that will not succeed later either; undefined if it was only interrupted. A full disk
 * is one of them: what is left on it would keep it full.
 */
function refusalOf(error: unknown): Error | undefined {
  if (error instanceof RegistryError) return new BundleError(error.message, { cause: error });
  const isFull = error instanceof StoreError && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
  return error instanceof BundleError || isFull ? error : undefined;
}

async function takeIn(intake: Intake, bundle: OpenedBundle, report: ImportWork['report']): Promise<void> {
  let done = 0;
  const total = bundle.size;
  const entries = bundle.entries((bytes) => {
    done += bytes;
    report({ done, total, unit: 'bytes' });
  });
  for await (const entry of entries) await intake.take(entry);
}

async function importImages(
  cache: ImportCache,
  intake: Intake,
  { as, isPartial = false, isPinned = false }: ImportRequest,
  { signal, announced }: { readonly signal: AbortSignal; readonly announced: Set<Digest> },
): Promise<ImportResult> {
  const named = await nameRoots(await rootsOf(cache, intake), {
    as: as === undefined ? undefined : cache.nameOf(as),
    nameOf: cache.nameOf,
    subjectOf: (root) => subjectOf(cache, intake, root),
  });
  const bundled = intake.blobs;
  const examiner = new Examiner({ ...cache, bundled, isPartial, signal });
  const images: ImportedImage[] = [];
  const refused: RefusedImage[] = [];
  for (const { root, name } of named) {
    const examined = await examiner.examine(name.key, root);
    if (examined.problems.length > 0)
      refused.push(refusal({ root, name }, examined, refused.length < MAX_TOLD));
    else {
      await announce(cache, name, examined, { bundled, isPinned });
      for (const digest of examined.blobs) announced.add(digest);
      for (const { digest } of examined.manifests) announced.add(digest);
      images.push(imported({ root, name }, examined));
    }
  }
  return { images, refused, blobs: bundled.size, added: intake.added.size };
}

async function rootsOf(cache: ImportCache, intake: Intake): Promise<readonly Root[]> {
  if (intake.layoutIndex !== undefined) return layoutRoots(intake.layoutIndex);
  if (intake.manifestFile !== undefined) return archiveRoots(cache, intake, intake.manifestFile);
  throw new BundleError('it has neither an index.json nor a manifest.json: it is no bundle of images');
}

/** Returns what a root is about. A root that cannot be read is about nothing: its examination will say why. */
async function subjectOf({ store }: ImportCache, intake: Intake, root: Root): Promise<Digest | undefined> {
  if (!intake.blobs.has(root.digest)) return undefined;
  try {
    return parseManifest(await readSmall(store, root.digest), root.mediaType).subject?.digest;
  } catch (error) {
    if (error instanceof BundleError || error instanceof RegistryError) return undefined;
    throw error;
  }
}

function imported({ root, name }: RootWithName, { leftOut, elsewhere }: Examined): ImportedImage {
  const names = leftOut.map(({ digest, platform }) => (platform ? formatPlatform(platform) : digest));
  return { name: formatImageName(name), digest: root.digest, leftOut: names, elsewhere };
}

function refusal({ root, name }: RootWithName, { problems }: Examined, isTold: boolean): RefusedImage {
  return {
    name: formatImageName(name),
    digest: root.digest,
    problems: isTold ? problems : problems.slice(0, 1),
  };
}
