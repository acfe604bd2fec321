import { parseJsonObject } from '../../oci/documents/json.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { RegistryError } from '../../oci/error.ts';
import { isIndexMediaType } from '../../oci/media-type.ts';
import {
  formatPlatform,
  isSamePlatform,
  parsePlatform,
  selectPlatform,
  type Platform,
} from '../../oci/platform.ts';
import type { FetchedManifest } from '../../upstream/upstream.ts';
import { formatRepository, type Asked } from '../asked.ts';
import { referenceOf } from '../../oci/image-reference.ts';
import type { Asker } from '../asker.ts';
import { AskError } from '../error.ts';

/** More than the config of any image has. */
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

/**
 * Gets the manifest that was asked for; with a platform, that of its image in the index.
 * @throws AskError if there is no image for the platform; UpstreamError
 */
export async function findManifest(
  asker: Asker,
  asked: Asked,
  platform?: Platform,
): Promise<FetchedManifest> {
  const { repository } = asked;
  const manifest = await asker.manifest(repository, referenceOf(asked));
  if (platform === undefined) return manifest;
  if (isIndexMediaType(manifest.mediaType)) return imageOf(asker, asked, manifest, platform);
  await requirePlatform(asker, asked, manifest, platform);
  return manifest;
}

/**
 * Gets the manifest of an image, never an index: without a platform, the only image of an index.
 * @throws AskError if an index has several; UpstreamError
 */
export async function findImage(asker: Asker, asked: Asked, platform?: Platform): Promise<FetchedManifest> {
  const manifest = await findManifest(asker, asked, platform);
  return isIndexMediaType(manifest.mediaType) ? imageOf(asker, asked, manifest, undefined) : manifest;
}

/** Gets the config of an image, verified. @throws AskError if it has none; UpstreamError */
export async function readConfig(
  asker: Asker,
  asked: Asked,
  { content }: FetchedManifest,
): Promise<Uint8Array> {
  const { config } = content;
  if (config === undefined) throw new AskError(`${formatRepository(asked)}: this manifest has no config`);
  return asker.blob(asked.repository, config.digest, MAX_CONFIG_BYTES);
}

async function imageOf(
  asker: Asker,
  asked: Asked,
  { content }: FetchedManifest,
  platform: Platform | undefined,
): Promise<FetchedManifest> {
  const { digest } = chooseImage(formatRepository(asked), content.manifests, platform);
  return asker.manifest(asked.repository, { kind: 'digest', digest });
}

/**
 * Chooses the image for a platform of an index.
 * @param platform absent: the only image of an index that has one
 * @throws AskError that names the platforms there are
 */
function chooseImage(
  name: string,
  manifests: readonly Descriptor[],
  platform: Platform | undefined,
): Descriptor {
  const images = manifests.filter(isImage);
  const [only] = images;
  const chosen = platform === undefined ? only : selectPlatform(manifests, platform);
  const isClear = platform !== undefined || images.length === 1;
  if (chosen !== undefined && isClear) return chosen;
  const names = images.flatMap((image) => (image.platform ? [formatPlatform(image.platform)] : []));
  const there = names.length === 0 ? 'it names no platforms' : `it has ${names.join(', ')}`;
  const problem =
    platform === undefined
      ? 'is an index, choose by --platform'
      : `has no image for ${formatPlatform(platform)}`;
  throw new AskError(`${name} ${problem}: ${there}`);
}

/** Attestations have the platform unknown/unknown. */
function isImage({ platform, mediaType }: Descriptor): boolean {
  return platform?.os !== 'unknown' && !isIndexMediaType(mediaType);
}

/** A manifest outside of an index has its platform in its config. What has none there, such as an artifact, has any. */
async function requirePlatform(
  asker: Asker,
  asked: Asked,
  manifest: FetchedManifest,
  wanted: Platform,
): Promise<void> {
  if (manifest.content.config === undefined) return;
  const platform = platformOfConfig(await readConfig(asker, asked, manifest));
  if (platform === undefined || isSamePlatform(platform, wanted)) return;
  const name = `${formatRepository(asked)}@${manifest.digest}`;
  throw new AskError(`${name} is no index, and for ${formatPlatform(platform)}`);
}

function platformOfConfig(config: Uint8Array): Platform | undefined {
  try {
    return parsePlatform(parseJsonObject(config));
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}
