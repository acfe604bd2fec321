import { digestOf } from '../../src/oci/digest.ts';
import { parseManifest } from '../../src/oci/manifest.ts';
import { MediaType } from '../../src/oci/media-type.ts';
import type { FetchedManifest } from '../../src/upstream/upstream.ts';

/** The bytes of an image index without images. */
export const INDEX_BYTES = Buffer.from(
  JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] }),
);

/** That index as an upstream gives it. */
export const FETCHED_INDEX: FetchedManifest = {
  bytes: INDEX_BYTES,
  mediaType: MediaType.ociIndex,
  digest: digestOf(INDEX_BYTES),
  verified: true,
  content: parseManifest(INDEX_BYTES, MediaType.ociIndex),
};
