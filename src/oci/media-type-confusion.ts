import { quoted } from '../text/quoted.ts';
import { manifestInvalid, type JsonObject } from './json.ts';
import { MediaType, isManifestMediaType, isSchema1MediaType, type ManifestMediaType } from './media-type.ts';

/**
 * The type of a document that was served as `mediaType`. Refuses one that a reader takes for a manifest and another
 * for an index (CVE-2021-41190): its own `mediaType` must name the kind that it was served as, and it must not carry
 * the members of another kind. Of the two names that a kind has, its own counts: its digest vouches for that.
 * @throws RegistryError MANIFEST_INVALID
 */
export function unambiguousType(document: JsonObject, mediaType: ManifestMediaType): ManifestMediaType {
  requireOwnKind(document, mediaType);
  requireOneKind(document, mediaType);
  requireSchemaVersion(document, mediaType);
  const own = document['mediaType'];
  if (typeof own === 'string' && isManifestMediaType(own)) return own;
  requireMember(document, mediaType);
  return mediaType;
}

/**
 * A member's name as Go's decoder compares it: most clients use that, and to it `MediaType` and `mediaType`,
 * `layer\u017f` and `layers` are one.
 */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/** Members that make a document one kind of manifest. */
const MEMBERS = {
  image: ['config', 'layers'],
  index: ['manifests'],
  artifact: [],
  schema1: ['fsLayers'],
} as const satisfies Record<string, readonly string[]>;

type Kind = keyof typeof MEMBERS;

const KINDS: Record<ManifestMediaType, Kind> = {
  [MediaType.ociManifest]: 'image',
  [MediaType.dockerManifest]: 'image',
  [MediaType.ociIndex]: 'index',
  [MediaType.dockerList]: 'index',
  [MediaType.ociArtifact]: 'artifact',
  [MediaType.dockerSchema1]: 'schema1',
  [MediaType.dockerSchema1Signed]: 'schema1',
};

/** An empty or null `mediaType` is none: so Go writes and reads it. */
function requireOwnKind(document: JsonObject, mediaType: ManifestMediaType): void {
  for (const [name, value] of Object.entries(document)) {
    if (fold(name) === 'mediatype' && (value ?? '') !== '' && kindOf(value) !== KINDS[mediaType]) {
      throw manifestInvalid(`its mediaType is not the ${mediaType} that it was served as`);
    }
  }
}

function kindOf(mediaType: unknown): Kind | undefined {
  return typeof mediaType === 'string' && isManifestMediaType(mediaType) ? KINDS[mediaType] : undefined;
}

/** The members by their folded names. */
const KIND_MEMBERS: ReadonlyMap<string, string> = new Map(
  Object.values(MEMBERS)
    .flat()
    .map((member) => [fold(member), member]),
);

/**
 * Refuses members of another kind, and members of this kind in another spelling than the one read here. One of another
 * kind that is null is none to any reader; one of this kind in another spelling empties the real one for some.
 */
function requireOneKind(document: JsonObject, mediaType: ManifestMediaType): void {
  const own: readonly string[] = MEMBERS[KINDS[mediaType]];
  for (const [name, value] of Object.entries(document)) {
    const member = KIND_MEMBERS.get(fold(name));
    if (member === undefined || (member === name && own.includes(member))) continue;
    if (value === null && !own.includes(member)) continue;
    throw manifestInvalid(`${quoted(name)} does not belong into ${mediaType}`);
  }
}

/** What does not say what it is must look like it: some answer with an error document, and 200. */
function requireMember(document: JsonObject, mediaType: ManifestMediaType): void {
  const own = MEMBERS[KINDS[mediaType]];
  if (own.length === 0 || document['schemaVersion'] === 1 || own.some((member) => member in document)) return;
  throw manifestInvalid(`it has no ${own.join(' and no ')}`);
}

function requireSchemaVersion(document: JsonObject, mediaType: ManifestMediaType): void {
  const expected = isSchema1MediaType(mediaType) ? 1 : 2;
  const version = document['schemaVersion'] ?? expected;
  if (version !== expected) throw manifestInvalid(`its schemaVersion is not ${expected}`);
}
