import type { AdoptedManifest } from '../index/content-survey.ts';
import { digestOf, digestAlgorithm, type Digest } from '../oci/digest.ts';
import { RegistryError } from '../oci/error.ts';
import { documentType } from '../oci/documents/document-type.ts';
import { parseJsonObject } from '../oci/documents/json.ts';
import { manifestEdges, parseManifest, referrerDescriptor } from '../oci/manifest.ts';
import { isSchema1MediaType } from '../oci/media-type.ts';

/**
 * Whether bytes with this beginning may be a manifest's: it begins as JSON. Image configurations do so as well; layers,
 * which are compressed archives or tar files, do not.
 */
export function mayBeManifest(head: Uint8Array): boolean {
  return /^[ \t\r\n]*\{/.test(Buffer.from(head).toString('latin1'));
}

/**
 * Recognises a manifest by its bytes alone (oci/documents/document-type.ts). Returns undefined for anything else, for bytes that
 * are not the digest's, and for schema 1, which is never stored.
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
