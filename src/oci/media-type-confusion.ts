import { quoted } from './error.ts';
import { manifestInvalid, type JsonObject } from './json.ts';
import { MediaType, isSchema1MediaType, type ManifestMediaType } from './media-type.ts';

/**
 * Refuses a document that one reader takes for a manifest and another for an index (CVE-2021-41190): its own
 * `mediaType` must be the one it was served with, and it must not carry the members of another kind.
 * @throws RegistryError MANIFEST_INVALID
 */
export function refuseConfusion(document: JsonObject, mediaType: ManifestMediaType): void {
  requireOwnMediaType(document, mediaType);
  requireOneKind(document, mediaType);
  requireSchemaVersion(document, mediaType);
}

/**
 * A member's name as Go's decoder compares it: most clients use that, and to it `MediaType` and `mediaType`,
 * `layer\u017f` and `layers` are one.
 */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/** An empty or null `mediaType` is none: so Go writes and reads it. */
function requireOwnMediaType(document: JsonObject, mediaType: ManifestMediaType): void {
  for (const [name, value] of Object.entries(document)) {
    if (fold(name) === 'mediatype' && (value ?? '') !== '' && value !== mediaType) {
      throw manifestInvalid(`its mediaType is not the ${mediaType} that it was served as`);
    }
  }
}

/** Members that make a document one kind of manifest, by their folded names. */
const KIND_MEMBERS: ReadonlyMap<string, string> = new Map(
  ['manifests', 'layers', 'config', 'fsLayers'].map((member) => [fold(member), member]),
);

const MEMBERS: Record<ManifestMediaType, readonly string[]> = {
  [MediaType.ociManifest]: ['config', 'layers'],
  [MediaType.dockerManifest]: ['config', 'layers'],
  [MediaType.ociIndex]: ['manifests'],
  [MediaType.dockerList]: ['manifests'],
  [MediaType.ociArtifact]: [],
  [MediaType.dockerSchema1]: ['fsLayers'],
  [MediaType.dockerSchema1Signed]: ['fsLayers'],
};

/** Refuses members of another kind, and members of this kind in another spelling than the one read here. */
function requireOneKind(document: JsonObject, mediaType: ManifestMediaType): void {
  for (const name of Object.keys(document)) {
    const member = KIND_MEMBERS.get(fold(name));
    if (member !== undefined && (member !== name || !MEMBERS[mediaType].includes(member))) {
      throw manifestInvalid(`${quoted(name)} does not belong into ${mediaType}`);
    }
  }
}

function requireSchemaVersion(document: JsonObject, mediaType: ManifestMediaType): void {
  const expected = isSchema1MediaType(mediaType) ? 1 : 2;
  const version = document['schemaVersion'] ?? expected;
  if (version !== expected) throw manifestInvalid(`its schemaVersion is not ${expected}`);
}
