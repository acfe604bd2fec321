import { documentType } from '../../oci/documents/document-type.ts';
import { parseJsonObject } from '../../oci/documents/json.ts';
import { MediaType } from '../../oci/media-type.ts';
import { quoted } from '../../text/quoted.ts';
import { BundleError } from '../bundle-error.ts';
import { isTold, layerIdsOf, manifestOf, parseDockerArchive, type ArchivedImage } from './docker-archive.ts';
import type { Intake, TakenFile } from './intake.ts';
import { readSmall } from './read-small.ts';
import type { ImportCache } from './import-options.ts';
import type { Root } from './root.ts';

/** Links that lead to links: `docker save` wrote none that lead further. */
const MAX_LINKS = 8;

/**
 * Returns the roots of an archive of `docker save`, each with a manifest that is made for it; or the root of a directory
 * of skopeo, which is its `manifest.json`.
 * @throws BundleError, RegistryError MANIFEST_INVALID, StoreError, IndexError
 */
export async function archiveRoots(
  cache: Pick<ImportCache, 'store'>,
  intake: Intake,
  manifestFile: Uint8Array,
): Promise<readonly Root[]> {
  const isList = /^\s*\[/.test(Buffer.from(manifestFile.subarray(0, 64)).toString('latin1'));
  if (!isList) return [await directoryRoot(intake, manifestFile)];
  const roots: Root[] = [];
  for (const image of parseDockerArchive(manifestFile)) roots.push(await imageRoot(cache, intake, image));
  return roots;
}

async function directoryRoot(intake: Intake, bytes: Uint8Array): Promise<Root> {
  const mediaType = documentType(parseJsonObject(bytes));
  if (mediaType === undefined) throw new BundleError('its manifest.json is no manifest');
  return { digest: await intake.addBytes(bytes), mediaType, size: bytes.length, names: [] };
}

async function imageRoot(
  { store }: Pick<ImportCache, 'store'>,
  intake: Intake,
  image: ArchivedImage,
): Promise<Root> {
  const config = fileAt(intake, image.config);
  requireTold(image.config, config, undefined);
  const ids = layerIdsOf(await readSmall(store, config.digest));
  const layers = image.layers.map((path, position) => {
    const layer = fileAt(intake, path);
    requireTold(path, layer, ids[position]);
    return layer;
  });
  const bytes = manifestOf(config, layers, ids);
  const digest = await intake.addBytes(bytes);
  return { digest, mediaType: MediaType.dockerManifest, size: bytes.length, names: image.names };
}

function fileAt(intake: Intake, path: string): TakenFile {
  let at = path;
  for (let links = 0; links <= MAX_LINKS; links++) {
    const file = intake.files.get(at);
    if (file !== undefined) return file;
    at = intake.links.get(at) ?? '';
  }
  throw new BundleError(`it has no file ${quoted(path)}, which its manifest.json names`);
}

function requireTold(path: string, file: TakenFile, layerId: string | undefined): void {
  if (isTold(path, file, layerId)) return;
  throw new BundleError(`${quoted(path)} has the digest ${file.digest}, which nothing in the archive tells`);
}
