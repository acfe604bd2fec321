import type { Digest } from './digest.ts';
import { isJsonObject, parseJsonObject } from './documents/json.ts';
import type { Manifest } from './manifest.ts';
import { isManifestMediaType, MediaType } from './media-type.ts';

/** The members of a plain descriptor. `urls`, in any spelling, lets a registry accept a layer that it does not have. */
const PLAIN_MEMBERS: ReadonlySet<string> = new Set(['mediaType', 'digest', 'size', 'annotations', 'data']);

/**
 * Types of layers that are not in the registry, by design: Windows' base layers, and those whose licence forbids it.
 */
const ELSEWHERE = /foreign|nondistributable/i;

/**
 * Returns the blobs that a registry which checks references must have had when it accepted this image: its config and
 * its layers, except those that may be elsewhere. Children and subject are not among them.
 */
export function plainContent(manifest: Manifest, bytes: Uint8Array): ReadonlySet<Digest> {
  if (manifest.mediaType !== MediaType.ociManifest && manifest.mediaType !== MediaType.dockerManifest) {
    return new Set();
  }
  const odd = oddDigests(bytes);
  const named = [...(manifest.config === undefined ? [] : [manifest.config]), ...manifest.layers];
  const plain = named.filter(({ mediaType }) => isPlainType(mediaType));
  const notPlain = new Set(named.filter((each) => !plain.includes(each)).map(({ digest }) => digest));
  const digests = plain.map(({ digest }) => digest);
  return new Set(digests.filter((digest) => !odd.has(digest) && !notPlain.has(digest)));
}

/** Whether a layer of the type need not be in any registry. */
export function isElsewhere(mediaType: string): boolean {
  return ELSEWHERE.test(mediaType);
}

function isPlainType(mediaType: string): boolean {
  return !isElsewhere(mediaType) && !isManifestMediaType(mediaType);
}

/** Returns the digests of descriptors that have members beyond the plain ones. */
function oddDigests(bytes: Uint8Array): ReadonlySet<unknown> {
  const { config, layers } = parseJsonObject(bytes);
  const descriptors = [config, ...(Array.isArray(layers) ? (layers as unknown[]) : [])].filter(isJsonObject);
  const odd = descriptors.filter((each) => Object.keys(each).some((name) => !PLAIN_MEMBERS.has(name)));
  return new Set(odd.map(({ digest }) => digest));
}
