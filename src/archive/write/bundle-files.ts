import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { isManifestMediaType } from '../../oci/media-type.ts';
import { formatImageName, type ImageName } from '../layout/image-name.ts';
import type { Inventory } from '../layout/inventory.ts';
import { formatLayoutIndex } from '../layout/layout-index.ts';
import { blobPath, INDEX_FILE, LAYOUT_BYTES, LAYOUT_FILE } from '../layout/paths.ts';
import type { BundleFile } from './bundle.ts';

/** A name under which a bundle lists a manifest. */
export interface BundledName {
  readonly name: ImageName;
  readonly manifest: Descriptor;
  /** Whether it is about another manifest (a signature, an SBOM) and was not asked for itself. */
  readonly isReferrer: boolean;
}

/** An image in a bundle, with all of its parts, each with its true size. */
export interface BundledImage {
  readonly names: readonly BundledName[];
  /** Manifests and blobs of the names' repository. */
  readonly parts: readonly Descriptor[];
}

/**
 * Returns the files of a bundle in their fixed order: the index first, then manifests, then blobs, so that a reader of a
 * stream knows what a blob is for before it comes.
 * @param known what the reader has already, and is left out
 */
export function bundleFiles(images: readonly BundledImage[], known: Inventory): BundleFile[] {
  const names = new Map<string, BundledName>();
  const parts = new Map<Digest, Descriptor>();
  for (const image of images) {
    for (const each of image.names) keepName(names, each);
    for (const part of image.parts) if (!isKnown(known, image, part)) parts.set(part.digest, part);
  }
  const roots = [...names.values()].map(({ name, manifest, isReferrer }) => ({
    name,
    descriptor: manifest,
    isReferrer,
  }));
  return [
    fileOf(LAYOUT_FILE, LAYOUT_BYTES),
    fileOf(INDEX_FILE, formatLayoutIndex(roots)),
    ...[...parts.values()]
      .toSorted(manifestsFirst)
      .map(({ digest, size }) => ({ path: blobPath(digest), size, content: digest })),
  ];
}

/** Keeps one of two entries for a name: the image that was asked for, rather than the referrer of another one. */
function keepName(names: Map<string, BundledName>, entry: BundledName): void {
  const text = formatImageName(entry.name);
  if (!entry.isReferrer || !names.has(text)) names.set(text, entry);
}

function isKnown(known: Inventory, { names: [first] }: BundledImage, { digest }: Descriptor): boolean {
  if (first === undefined) return false;
  const { registry, repository } = first.name.key;
  return known.get(`${registry}/${repository}`)?.has(digest) === true;
}

function fileOf(path: string, content: Uint8Array): BundleFile {
  return { path, size: content.length, content };
}

function manifestsFirst(a: Descriptor, b: Descriptor): number {
  const isManifest = isManifestMediaType(a.mediaType);
  if (isManifest !== isManifestMediaType(b.mediaType)) return isManifest ? -1 : 1;
  return a.digest < b.digest ? -1 : 1;
}
