import type { Digest } from '../oci/digest.ts';
import { RegistryError } from '../oci/error.ts';
import { selectPlatform } from '../oci/platform.ts';
import type { Work } from '../upstream/parsing/functions.ts';
import type { Parser } from '../upstream/parsing/parser.ts';
import { readDocument } from '../upstream/read-document.ts';
import type { Manifest } from './manifests.ts';
import type { Target } from './target.ts';

/**
 * The image of an index for clients that know single images only: as distribution does for Docker lists, here for OCI
 * indexes too.
 * @throws RegistryError MANIFEST_UNKNOWN where it has none for linux/amd64
 */
export async function linuxAmd64Child(
  { key }: Target,
  { bytes, mediaType, digest }: Manifest,
  parser: Parser,
): Promise<Digest> {
  const work: Work<'manifest'> = { name: 'manifest', args: [bytes, mediaType] };
  const reading = await readDocument(key.upstream, parser, work, bytes.length);
  const manifests = 'read' in reading ? reading.read.manifests : [];
  const child = selectPlatform(manifests, { os: 'linux', architecture: 'amd64' });
  if (child !== undefined) return child.digest;
  throw new RegistryError(
    'MANIFEST_UNKNOWN',
    `${digest} is an image index without a linux/amd64 image, and Accept names no index type`,
  );
}
