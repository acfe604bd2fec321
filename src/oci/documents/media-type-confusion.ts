import { quoted } from '../../text/quoted.ts';
import { manifestInvalid, type JsonObject } from './json.ts';
import { MediaType, isManifestMediaType, isSchema1MediaType, type ManifestMediaType } from '../media-type.ts';

/**
 * Returns the type of a document that was served as `mediaType`. Refuses a document that one reader takes for a
 * manifest and another for an index (CVE-2021-41190): its own `mediaType` must name the kind that it was served as, and
 * it must not have the members of another kind. If a kind has two names, the document's own name counts, since the
 * digest covers it.
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
 * Folds a member's name as Go's decoder does, which most clients use: to it `MediaType` equals `mediaType`, and
 * `layer\u017f` equals `layers`.
 */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/** The members that each kind of manifest has. */
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

/** Refuses a `mediaType` of another kind. An empty or null one counts as absent, as Go writes and reads it. */
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
 * Refuses members of another kind, and members of this kind in a spelling that Larder does not read. A null member of
 * another kind is allowed, since it counts as absent for every reader. A null member of this kind in another spelling
 * is refused, since for some readers it empties the real one.
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

/** Requires a document without a type to have its kind's members: some registries send an error document with 200. */
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
