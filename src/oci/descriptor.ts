import { isDigest, type Digest } from './digest.ts';
import { quoted } from './error.ts';
import { isJsonObject, manifestInvalid, type JsonObject } from './json.ts';
import { parsePlatform, type Platform } from './platform.ts';

/** What one document says of another (image-spec descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
}

/** RFC 6838 §4.2: at most 127 characters on each side of the slash. */
const MAX_MEDIA_TYPE_LENGTH = 255;

/** Images have some 127 layers at most (overlayfs), indexes some hundred children; each costs rows in the index. */
const MAX_DESCRIPTORS = 4000;

/**
 * Every digest inside a foreign document becomes a path and a URL, so it is checked here (CVE-2024-3727).
 * `urls` and `data` are dropped: Larder never dereferences the one (CVE-2020-15157) nor needs the other.
 * @param where names the value in messages: `layers[3]`.
 * @throws RegistryError MANIFEST_INVALID
 */
export function parseDescriptor(value: unknown, where = 'descriptor'): Descriptor {
  if (!isJsonObject(value)) throw manifestInvalid(`${where} is not an object`);
  const artifactType = parseArtifactType(value, where);
  const annotations = parseAnnotations(value, where);
  const platform = parsePlatform(value['platform']);
  return {
    mediaType: parseMediaType(value['mediaType'], where),
    digest: parseContentDigest(value['digest'], where),
    size: parseSize(value['size'], where),
    ...(artifactType !== undefined && { artifactType }),
    ...(annotations !== undefined && { annotations }),
    ...(platform !== undefined && { platform }),
  };
}

/**
 * A list of descriptors, none of them read yet; Go writes an empty one as null.
 * @param where names the list in messages: `layers`.
 * @throws RegistryError MANIFEST_INVALID where it is no list, or has more than 4,000 members
 */
export function descriptorList(value: unknown, where: string): readonly unknown[] {
  const list = value ?? [];
  if (!Array.isArray(list)) throw manifestInvalid(`${where} is not a list`);
  if (list.length <= MAX_DESCRIPTORS) return list;
  throw manifestInvalid(`${where} has ${list.length} descriptors: at most ${MAX_DESCRIPTORS}`);
}

/**
 * The `artifactType` of a descriptor or a manifest; an empty one counts as none (distribution-spec,
 * "Listing Referrers").
 * @throws RegistryError MANIFEST_INVALID
 */
export function parseArtifactType(object: JsonObject, where: string): string | undefined {
  const value = object['artifactType'] ?? '';
  if (typeof value !== 'string' || value.length > MAX_MEDIA_TYPE_LENGTH) {
    throw manifestInvalid(`${where}.artifactType is not a media type`);
  }
  return value === '' ? undefined : value;
}

/**
 * The `annotations` of a descriptor or a manifest.
 * @throws RegistryError MANIFEST_INVALID
 */
export function parseAnnotations(
  object: JsonObject,
  where: string,
): Readonly<Record<string, string>> | undefined {
  const value = object['annotations'] ?? undefined;
  if (value === undefined) return undefined;
  if (!isStringMap(value)) throw manifestInvalid(`${where}.annotations is not a map of strings`);
  return value;
}

function isStringMap(value: unknown): value is Readonly<Record<string, string>> {
  return isJsonObject(value) && Object.values(value).every((entry) => typeof entry === 'string');
}

function parseMediaType(value: unknown, where: string): string {
  if (typeof value === 'string' && value !== '' && value.length <= MAX_MEDIA_TYPE_LENGTH) return value;
  throw manifestInvalid(`${where}.mediaType is not a media type`);
}

function parseContentDigest(value: unknown, where: string): Digest {
  if (typeof value !== 'string') throw manifestInvalid(`${where}.digest is not a text`);
  if (isDigest(value)) return value;
  throw manifestInvalid(`${where}.digest ${quoted(value)} is not a sha256 or sha512 digest`);
}

function parseSize(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw manifestInvalid(`${where}.size is not a number of bytes`);
}
