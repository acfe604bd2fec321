import { attestedImage } from '../../oci/attestation.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { isIndexMediaType } from '../../oci/media-type.ts';
import { selectPlatform, type Platform } from '../../oci/platform.ts';

/** The platforms whose images are wanted of an index; undefined: all of them. */
export type PlatformChoice = readonly Platform[] | undefined;

/** What is wanted of an index, and the wanted platforms that it does not have. */
export interface ChosenManifests {
  readonly manifests: readonly Descriptor[];
  readonly missing: readonly Platform[];
}

/**
 * Chooses what is pulled of an index: the image of each wanted platform with the attestations about it, nested
 * indexes, and what names no platform, such as an artifact.
 */
export function chooseManifests(manifests: readonly Descriptor[], choice: PlatformChoice): ChosenManifests {
  if (choice === undefined) return { manifests, missing: [] };
  const images = choice.map((platform) => selectPlatform(manifests, platform));
  const chosen = new Set(images.map((image) => image?.digest));
  const isWanted = (descriptor: Descriptor): boolean => {
    const { digest, mediaType, platform } = descriptor;
    const about = attestedImage(descriptor);
    if (about !== undefined) return [...chosen].includes(about as Descriptor['digest']);
    return platform === undefined || isIndexMediaType(mediaType) || chosen.has(digest);
  };
  const isNested = manifests.some(({ mediaType }) => isIndexMediaType(mediaType));
  return {
    manifests: manifests.filter(isWanted),
    // A nested index may have what this one lacks.
    missing: isNested ? [] : choice.filter((_, position) => images[position] === undefined),
  };
}
