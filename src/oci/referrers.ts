import { MAX_DESCRIPTORS, readDescriptors, type Descriptor } from './descriptor.ts';
import { digestAlgorithm, digestHex, type Digest } from './digest.ts';
import { manifestInvalid, parseJsonObject } from './documents/json.ts';
import { MediaType } from './media-type.ts';
import { parseTag, type Tag } from './tag.ts';

/**
 * Returns the tag under which a registry without the referrers API keeps a subject's index (distribution-spec,
 * "Referrers Tag Schema"): `<algorithm>-<encoded>`, the encoded part cut to 64 characters. Digests of the algorithms
 * that Larder knows contain only characters that a tag may have.
 */
export function referrersTag(subject: Digest): Tag {
  return parseTag(`${digestAlgorithm(subject)}-${digestHex(subject).slice(0, 64)}`);
}

/** Formats the body of a referrers answer: an OCI index, also if there are no referrers. */
export function formatReferrersIndex(referrers: readonly Descriptor[]): Uint8Array {
  const index = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: referrers };
  return new TextEncoder().encode(JSON.stringify(index));
}

/**
 * Reads the descriptors of an upstream's referrers answer or tag-schema index. A null or missing list is empty if the
 * document has another member of an index. An unreadable descriptor, or one whose digest cannot be verified, is left
 * out, since it must not hide the others.
 * @throws RegistryError MANIFEST_INVALID if it is no index at all, or over the limits of a manifest
 */
export function parseReferrersIndex(bytes: Uint8Array): Descriptor[] {
  const { mediaType, manifests, schemaVersion } = parseJsonObject(bytes);
  if ([mediaType, manifests, schemaVersion].every((member) => member === undefined)) {
    throw manifestInvalid('the referrers are no index');
  }
  if ((mediaType ?? MediaType.ociIndex) !== MediaType.ociIndex) {
    throw manifestInvalid('the referrers are not an OCI index');
  }
  if (!Array.isArray(manifests ?? [])) throw manifestInvalid('manifests is not a list');
  requireWhole(manifests);
  return readDescriptors(manifests);
}

/** Refuses a list that would have to be cut: it would tell clients that there are no more. */
function requireWhole(list: unknown): void {
  if (!Array.isArray(list) || list.length <= MAX_DESCRIPTORS) return;
  throw manifestInvalid(`manifests has ${list.length} descriptors: at most ${MAX_DESCRIPTORS}`);
}

/** Keeps referrers of any of the artifact types asked for; all if none is asked for. */
export function filterReferrers(
  referrers: readonly Descriptor[],
  artifactTypes: readonly string[],
): readonly Descriptor[] {
  if (artifactTypes.length === 0) return referrers;
  const wanted = new Set<string | undefined>(artifactTypes);
  return referrers.filter(({ artifactType }) => wanted.has(artifactType));
}

/** Merges several lists into one with each digest once; the descriptor of the earliest list counts. */
export function mergeReferrers(...lists: readonly (readonly Descriptor[])[]): Descriptor[] {
  const merged = new Map<Digest, Descriptor>();
  for (const descriptor of lists.flat()) {
    if (!merged.has(descriptor.digest)) merged.set(descriptor.digest, descriptor);
  }
  return [...merged.values()];
}
