import type { Inventory } from '../../archive/layout/inventory.ts';
import { MAX_ENTRIES } from '../../archive/reading/read-tar.ts';
import { layOut, type Bundle } from '../../archive/write/bundle.ts';
import { bundleFiles, type BundledImage, type BundledName } from '../../archive/write/bundle-files.ts';
import type { Clock } from '../../clock.ts';
import type { LeaseIndex } from '../../index/lease-index.ts';
import { MAX_DESCRIPTORS, type Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import {
  pullImages,
  type ImagesRequest,
  type PulledImage,
  type PullImagesOptions,
} from '../closure/pull-images.ts';
import { OperatorError } from '../error.ts';
import type { JobContext } from '../jobs/job-work.ts';

export interface ExportRequest extends ImagesRequest {
  /** What the other side has, by `registry/repository`: it is left out of the bundle. */
  readonly known?: Readonly<Record<string, readonly Digest[]>> | undefined;
}

/** What is known of an exported image. */
interface ExportedImage {
  readonly reference: string;
  readonly digest: Digest;
  /** Its manifests and blobs and their bytes, with those that the other side has. */
  readonly parts: number;
  readonly bytes: number;
}

export interface ExportResult {
  /** The identity of the bundle: the same only if all its bytes are the same. */
  readonly bundle: Digest;
  /** The size of the bundle as a tar archive. */
  readonly bytes: number;
  /** Until when its blobs are kept from eviction. Milliseconds since the epoch. */
  readonly heldUntil: number;
  readonly images: readonly ExportedImage[];
}

export interface ExportOptions extends PullImagesOptions {
  readonly index: LeaseIndex;
  readonly clock: Clock;
}

/** How long an exported bundle can be read: a download may take hours, and may be interrupted over night. */
const HELD_MS = 24 * 3_600_000;

/** Failures that the message of a failed export names. */
const MAX_NAMED = 20;

/** How often a closure is pulled again of which parts were evicted before they could be leased. */
const ATTEMPTS = 3;

/**
 * Gets images whole into the cache, keeps them there for a day, and lays out a bundle of them. It writes no file: the
 * bundle is read from the store.
 * @throws OperatorError; the signal's reason
 */
export async function exportImages(
  request: ExportRequest,
  options: ExportOptions,
  context: JobContext,
): Promise<{ readonly bundle: Bundle; readonly result: ExportResult }> {
  const { images, heldUntil } = await holdImages(request, options, context);
  const bundled = images.map(bundledImage);
  requireFew(bundled);
  const files = bundleFiles(bundled, inventoryOf(request));
  if (files.length > MAX_ENTRIES)
    throw new OperatorError('invalid', `more than ${MAX_ENTRIES} blobs are too many`);
  const bundle = await layOut(files);
  const { identity, size: bytes } = bundle;
  return { bundle, result: { bundle: identity, bytes, heldUntil, images: images.map(describe) } };
}

async function holdImages(
  request: ExportRequest,
  options: ExportOptions,
  context: JobContext,
): Promise<{ readonly images: readonly WholeImage[]; readonly heldUntil: number }> {
  const { index, clock } = options;
  for (let attempt = 1; ; attempt++) {
    const images = (await pullImages(request, options, context)).map(requireWhole);
    const parts = images.flatMap(({ closure }) => closure.parts);
    const now = clock.now();
    const digests = [...new Set(parts.map(({ digest }) => digest))];
    await index.lease(digests, now, now + HELD_MS);
    const lost = await findLost(options.store, parts);
    if (lost === undefined) return { images, heldUntil: now + HELD_MS };
    if (attempt === ATTEMPTS) throw new OperatorError('failed', `the cache has no room to keep ${lost}`);
  }
}

/** Finds a part that was evicted before its lease began. */
async function findLost(
  store: PullImagesOptions['store'],
  parts: readonly Descriptor[],
): Promise<Digest | undefined> {
  for (const { digest, size } of parts) {
    const stored = await store.stat(digest);
    if (stored?.size !== size) return digest;
  }
  return undefined;
}

type WholeImage = PulledImage & { readonly root: Descriptor };

/** @throws OperatorError `failed`: half an image is of no use on the other side */
function requireWhole(image: PulledImage): WholeImage {
  const { failures, parts } = image.closure;
  const [root] = parts;
  if (root !== undefined && failures.length === 0) return { ...image, root };
  const named = failures
    .slice(0, MAX_NAMED)
    .map(({ digest, reason }) => (digest === undefined ? reason : `${digest}: ${reason}`));
  throw new OperatorError('failed', [`${image.reference} is not whole`, ...named].join('\n'));
}

function bundledImage({ wanted, tag, root, closure }: WholeImage): BundledImage {
  const { key } = wanted.repository;
  const parts = new Map(closure.parts.map((part) => [part.digest, part]));
  const references = [wanted.reference, ...(tag === undefined ? [] : [{ kind: 'tag' as const, tag }])];
  const asked = references.map((reference) => ({
    name: { key, reference },
    manifest: root,
    isReferrer: false,
  }));
  const found = closure.about.flatMap(({ reference, digest }): BundledName[] => {
    const manifest = parts.get(digest);
    return manifest === undefined ? [] : [{ name: { key, reference }, manifest, isReferrer: true }];
  });
  return { names: [...asked, ...found], parts: closure.parts };
}

/** @throws OperatorError `invalid`: readers of layouts, Larder among them, take no longer index */
function requireFew(images: readonly BundledImage[]): void {
  const names = images.reduce((sum, image) => sum + image.names.length, 0);
  if (names <= MAX_DESCRIPTORS) return;
  throw new OperatorError(
    'invalid',
    `${names} images and referrers are too many: at most ${MAX_DESCRIPTORS}`,
  );
}

function inventoryOf({ known = {} }: ExportRequest): Inventory {
  return new Map(Object.entries(known).map(([path, digests]) => [path, new Set(digests)]));
}

function describe({ reference, root, closure }: WholeImage): ExportedImage {
  const bytes = closure.parts.reduce((sum, { size }) => sum + size, 0);
  return { reference, digest: root.digest, parts: closure.parts.length, bytes };
}
