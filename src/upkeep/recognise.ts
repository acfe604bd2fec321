import type { AdoptedManifest } from '../index/content-survey.ts';
import { digestOf, digestAlgorithm, type Digest } from '../oci/digest.ts';
import { RegistryError } from '../oci/error.ts';
import { documentType } from '../oci/document-type.ts';
import { parseJsonObject } from '../oci/json.ts';
import { manifestEdges, parseManifest, referrerDescriptor } from '../oci/manifest.ts';
import { isSchema1MediaType } from '../oci/media-type.ts';

/**
 * Whether bytes that begin like this may be a manifest's. Layers are compressed archives or tar files, which begin
 * otherwise; image configurations are JSON as well.
 */
export function mayBeManifest(head: Uint8Array): boolean {
  return /^[ \t\r\n]*\{/.test(Buffer.from(head).toString('latin1'));
}

/**
 * A manifest told by its bytes alone (oci/told-media-type.ts). Undefined for anything else, among it bytes that are not
 * the digest's, and schema 1, which is never stored.
 */
export function recogniseManifest(digest: Digest, bytes: Uint8Array): AdoptedManifest | undefined {
  if (digestOf(bytes, digestAlgorithm(digest)) !== digest) return undefined;
  try {
    const mediaType = documentType(parseJsonObject(bytes));
    if (mediaType === undefined || isSchema1MediaType(mediaType)) return undefined;
    const manifest = parseManifest(bytes, mediaType);
    const descriptor = referrerDescriptor(manifest, { digest, size: bytes.length });
    return { entry: { descriptor, subject: manifest.subject?.digest }, edges: manifestEdges(manifest) };
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}
