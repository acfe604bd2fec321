import type { JsonObject } from './json.ts';
import { MediaType, isManifestMediaType, type ManifestMediaType } from '../media-type.ts';

/**
 * Returns the type of a manifest from the document alone: its own `mediaType` or, without one (the OCI image
 * specification lets it be left out), the type of its shape. Undefined if the document is no manifest.
 */
export function documentType(document: JsonObject): ManifestMediaType | undefined {
  const own = document['mediaType'] ?? '';
  if (own === '') return typeByShape(document);
  return typeof own === 'string' && isManifestMediaType(own) ? own : undefined;
}

function typeByShape(document: JsonObject): ManifestMediaType | undefined {
  if (document['schemaVersion'] === 1) {
    return 'signatures' in document ? MediaType.dockerSchema1Signed : MediaType.dockerSchema1;
  }
  if (document['schemaVersion'] !== 2) return undefined;
  if (Array.isArray(document['manifests'])) return MediaType.ociIndex;
  return Array.isArray(document['layers']) && 'config' in document ? MediaType.ociManifest : undefined;
}
