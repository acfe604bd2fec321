import { isDigest, type Digest } from './digest.ts';
import { isJsonObject } from './json.ts';
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

/** Of bytes without a type (RFC 9110 §8.3). */
const UNTYPED = 'application/octet-stream';

/** Images have some 127 layers at most (overlayfs), indexes some hundred children; each costs rows in the index. */
export const MAX_DESCRIPTORS = 4000;

/**
 * Reads what a foreign document says of another. Every digest in it becomes a path and a URL, so that it is checked
 * here (CVE-2024-3727). What is not as the specification has it, and is not needed to know what is meant, counts as
 * absent: clients read such documents. `urls` and `data` are dropped: Larder never dereferences the one
 * (CVE-2020-15157) nor needs the other.
 * @returns undefined where there is no digest that Larder can verify, or no size
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

/** Those of the first 4,000 members of a list that can be read; none where it is no list. */
export function readDescriptors(value: unknown): Descriptor[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_DESCRIPTORS).flatMap((item) => readDescriptor(item) ?? []);
}

/** A media type, of a descriptor or a manifest; an empty one is none (distribution-spec, "Listing Referrers"). */
export function readMediaType(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= MAX_MEDIA_TYPE_LENGTH
    ? value
    : undefined;
}

/** The `annotations` of a descriptor or a manifest: those that are texts. Some writers leave others as null. */
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
