import { expect, it } from 'vitest';
import { documentType } from './document-type.ts';
import { MediaType } from '../media-type.ts';

it.each([
  [{ mediaType: MediaType.dockerList }, MediaType.dockerList],
  [{ mediaType: MediaType.ociArtifact, blobs: [] }, MediaType.ociArtifact],
  [{ mediaType: 'text/html', schemaVersion: 2, manifests: [] }, undefined],
  [{ mediaType: 7, schemaVersion: 2, manifests: [] }, undefined],
  [{ schemaVersion: 2, manifests: [] }, MediaType.ociIndex],
  [{ mediaType: null, schemaVersion: 2, manifests: [] }, MediaType.ociIndex],
  [{ mediaType: '', schemaVersion: 2, config: {}, layers: [] }, MediaType.ociManifest],
  [{ schemaVersion: 2, layers: [] }, undefined],
  [{ schemaVersion: 2, config: {} }, undefined],
  [{ manifests: [] }, undefined],
  [{ schemaVersion: 1, fsLayers: [] }, MediaType.dockerSchema1],
  [{ schemaVersion: 1, signatures: [] }, MediaType.dockerSchema1Signed],
  [{ errors: [] }, undefined],
  [{}, undefined],
])('%j is %s', (document, expected) => {
  expect(documentType(document)).toBe(expected);
});
