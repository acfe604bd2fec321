import { isDigest, type Digest } from './digest.ts';
import { isJsonObject } from './documents/json.ts';
import { parsePlatform, type Platform } from './platform.ts';

/** A descriptor: one document's description of another (image-spec descriptor.md). */
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

/** The type of bytes without a stated type (RFC 9110 §8.3). */
const UNTYPED = 'application/octet-stream';

/**
 * Most descriptors read from one list: images have at most some 127 layers (overlayfs), and indexes some hundred
 * children. Each costs rows in the index.
 */
export const MAX_DESCRIPTORS = 4000;

/**
 * Reads a descriptor from a foreign document. Its digest becomes a path and a URL, so it is checked here
 * (CVE-2024-3727). Optional members that break the specification count as absent, since clients read such documents,
 * too. `urls` and `data` are dropped: Larder never dereferences the former (CVE-2020-15157) and does not need the
 * latter.
 * @returns undefined if there is no digest that Larder can verify, or no size
 */
export function readDescriptor(value: unknown): Descriptor | undefined {
  if (!isJsonObject(value)) return undefined;
  const { digest, size } = value;
  if (typeof digest !== 'string' || !isDigest(digest) || !isSize(size)) return undefined;
  const artifactType = readMediaType(value['artifactType']);
  const annotations = readAnnotations(value['annotations']);
  const platform = parsePlatform(value['platform']);
  return {
    mediaType: readMediaType(value['mediaType']) ?? UNTYPED,
    digest,
    size,
    ...(artifactType !== undefined && { artifactType }),
    ...(annotations !== undefined && { annotations }),
    ...(platform !== undefined && { platform }),
  };
}

/** Reads the descriptors of a list: the readable ones of its first 4,000 members. A value that is no list has none. */
export function readDescriptors(value: unknown): Descriptor[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_DESCRIPTORS).flatMap((item) => readDescriptor(item) ?? []);
}

/** Reads a media type of a descriptor or a manifest; an empty one is none (distribution-spec, "Listing Referrers"). */
export function readMediaType(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= MAX_MEDIA_TYPE_LENGTH
    ? value
    : undefined;
}

/** Reads the `annotations` of a descriptor or a manifest, only those that are texts: some writers leave null values. */
export function readAnnotations(value: unknown): Readonly<Record<string, string>> | undefined {
  if (!isJsonObject(value)) return undefined;
  const texts = Object.entries(value).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(texts);
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
