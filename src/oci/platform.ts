import { isJsonObject } from './documents/json.ts';
import { isIndexMediaType } from './media-type.ts';

/** The platform that an image of an index runs on (image-spec image-index.md, "platform"). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** Reads a platform; returns undefined if it is none: platforms only help to choose, so a broken one is no error. */
export function parsePlatform(value: unknown): Platform | undefined {
  if (!isJsonObject(value)) return undefined;
  const { os, architecture, variant } = value;
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined;
  return { os, architecture, ...(typeof variant === 'string' && variant !== '' && { variant }) };
}

/**
 * Reads a platform as people write it: `linux/amd64`, `linux/arm/v7`. Undefined if it is none.
 */
export function parsePlatformName(text: string): Platform | undefined {
  const match = /^([a-z0-9]+)\/([a-z0-9]+)(?:\/([a-z0-9.]+))?$/.exec(text);
  if (match === null) return undefined;
  const [, os = '', architecture = '', variant] = match;
  return { os, architecture, ...(variant !== undefined && { variant }) };
}

/** Writes a platform as people write it. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/**
 * Selects the first manifest of an index for exactly the wanted platform; never a nested index. A manifest with a
 * variant that the wanted platform does not name is no match, since `amd64/v3` does not run on every amd64.
 */
export function selectPlatform<T extends { readonly mediaType: string; readonly platform?: Platform }>(
  manifests: readonly T[],
  wanted: Platform,
): T | undefined {
  return manifests.find(
    ({ mediaType, platform }) =>
      platform !== undefined && !isIndexMediaType(mediaType) && isSamePlatform(platform, wanted),
  );
}

/** Whether two names mean the same platform: a variant that is the base of its architecture may be left out. */
export function isSamePlatform(a: Platform, b: Platform): boolean {
  return a.os === b.os && a.architecture === b.architecture && baseVariant(a) === baseVariant(b);
}

/** The variant of an architecture that names none (containerd's platform normalisation). */
const BASE_VARIANTS: Readonly<Record<string, string>> = { amd64: 'v1', arm64: 'v8', arm: 'v7' };

function baseVariant({ architecture, variant }: Platform): string | undefined {
  return variant === BASE_VARIANTS[architecture] ? undefined : variant;
}
