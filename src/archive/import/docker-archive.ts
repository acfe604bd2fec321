import { isDigest, type Digest } from '../../oci/digest.ts';
import { isJsonObject, parseJsonObject } from '../../oci/documents/json.ts';
import { MediaType } from '../../oci/media-type.ts';
import { quoted } from '../../text/quoted.ts';
import { BundleError } from '../bundle-error.ts';
import type { TakenFile } from './intake.ts';

/** An image of an archive of `docker save`, by the paths of its files. */
export interface ArchivedImage {
  readonly config: string;
  readonly layers: readonly string[];
  readonly names: readonly string[];
}

/** Greatest number of images, and of the layers and the names of one. */
const MAX_LIST = 4_000;

/**
 * Reads the `manifest.json` of an archive of `docker save`.
 * @throws BundleError if it is none
 */
export function parseDockerArchive(bytes: Uint8Array): readonly ArchivedImage[] {
  // The list is no object, as manifests are: so the bounds of a manifest hold for it, too.
  const { images } = parseJsonObject(Buffer.concat([OPENING, bytes, CLOSING]));
  if (!Array.isArray(images) || images.length > MAX_LIST) throw broken('no list of images');
  return images.map((image: unknown) => {
    if (!isJsonObject(image)) throw broken('an image that is no object');
    const { Config: config, Layers: layers, RepoTags: names } = image;
    if (typeof config !== 'string') throw broken('an image without Config');
    return { config, layers: textsOf(layers, 'Layers'), names: textsOf(names ?? [], 'RepoTags') };
  });
}

const OPENING = Buffer.from('{"images":');
const CLOSING = Buffer.from('}');

function textsOf(value: unknown, member: string): readonly string[] {
  const isList = Array.isArray(value) && value.length <= MAX_LIST;
  if (!isList || !value.every((text) => typeof text === 'string')) throw broken(`an image without ${member}`);
  return value;
}

function broken(what: string): BundleError {
  return new BundleError(`its manifest.json has ${what}`);
}

/**
 * Makes the manifest that the archive itself lacks: always the same bytes for the same archive. It is not the registry's
 * manifest, whose layers are compressed, and so its digest is another one.
 * @throws BundleError if a layer is not the one that the config names
 */
export function manifestOf(
  config: TakenFile,
  layers: readonly TakenFile[],
  layerIds: readonly string[],
): Uint8Array {
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaType.dockerManifest,
    config: descriptorOf('application/vnd.docker.container.image.v1+json', config),
    layers: layers.map((layer) => descriptorOf(layerType(layer), layer)),
  };
  if (layerIds.length !== layers.length)
    throw broken(`${layers.length} layers, and its config ${layerIds.length}`);
  return new TextEncoder().encode(JSON.stringify(manifest));
}

function descriptorOf(mediaType: string, { digest, size }: TakenFile): object {
  return { mediaType, size, digest };
}

const LAYER = 'application/vnd.docker.image.rootfs.diff.tar';

function layerType({ compression }: TakenFile): string {
  return compression === undefined ? LAYER : `${LAYER}.${compression}`;
}

/**
 * Whether a file's content is what it is taken for: an uncompressed layer has the digest that the config gives for it
 * (`diff_ids`), and any file may have its own digest as its name.
 */
export function isTold(path: string, { digest }: TakenFile, layerId: string | undefined): boolean {
  return digest === layerId || digest === digestInName(path);
}

/** Returns the digest that a file has as its name, as in `<hex>.json` or `sha256:<hex>`; undefined for other names. */
function digestInName(path: string): Digest | undefined {
  const hex = /^(?:sha256:)?([a-f0-9]{64})(?:\.|$)/.exec(path)?.[1];
  const digest = `sha256:${hex}`;
  return isDigest(digest) ? digest : undefined;
}

/** Returns the digests of an image's uncompressed layers, by its config. @throws BundleError, RegistryError */
export function layerIdsOf(config: Uint8Array): readonly string[] {
  const { rootfs } = parseJsonObject(config);
  const ids = isJsonObject(rootfs) ? rootfs['diff_ids'] : undefined;
  if (Array.isArray(ids) && ids.every((id) => typeof id === 'string')) return ids;
  throw new BundleError(`a config of it has no diff_ids: ${quoted(typeof ids)}`);
}
