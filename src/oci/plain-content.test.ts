import { expect, test } from 'vitest';
import { digestOf } from './digest.ts';
import { parseManifest } from './manifest.ts';
import { MediaType } from './media-type.ts';
import { plainContent } from './plain-content.ts';

const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const CONFIG = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf('c'), size: 1 };

function layer(more: object = {}): object {
  return { mediaType: LAYER, digest: digestOf('l'), size: 1, ...more };
}

function plain(document: object, mediaType: string = MediaType.ociManifest): readonly string[] {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...document }));
  return [...plainContent(parseManifest(bytes, mediaType), bytes)];
}

test.each([MediaType.ociManifest, MediaType.dockerManifest])(
  'contains the config and the layers of %s',
  (mediaType) => {
    const annotated = layer({ annotations: { a: 'b' } });
    expect(plain({ config: CONFIG, layers: [annotated] }, mediaType)).toEqual([CONFIG.digest, digestOf('l')]);
  },
);

test.each([
  ['with urls', [layer({ urls: ['https://cdn.example/l'] })]],
  ['with no urls in a list', [layer({ urls: [] })]],
  ['with urls as Go spells them', [layer({ URLs: ['https://cdn.example/l'] })]],
  ['with urls by a letter that folds to one', [layer({ 'url\u017f': ['https://cdn.example/l'] })]],
  ['that is foreign', [layer({ mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip' })]],
  ['that is foreign in capitals', [layer({ mediaType: 'application/vnd.docker.image.rootfs.FOREIGN.diff' })]],
  [
    'that is not distributable',
    [layer({ mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar' })],
  ],
  ['that is a manifest', [layer({ mediaType: MediaType.ociManifest })]],
  ['that is plain once, and elsewhere once', [layer(), layer({ urls: ['https://cdn.example/l'] })]],
  ['that is plain once, and foreign once', [layer(), layer({ mediaType: 'x/foreign' })]],
])('does not contain a layer %s', (_, layers) => {
  expect(plain({ config: CONFIG, layers })).toEqual([CONFIG.digest]);
});

test('does not contain a config with urls, nor a subject', () => {
  const config = { ...CONFIG, urls: ['https://cdn.example/c'] };
  const subject = { mediaType: MediaType.ociManifest, digest: digestOf('s'), size: 1 };
  expect(plain({ config, layers: [], subject })).toEqual([]);
});

test('does not contain the children of an index', () => {
  const manifests = [{ mediaType: MediaType.ociManifest, digest: digestOf('m'), size: 1 }];
  expect(plain({ manifests }, MediaType.ociIndex)).toEqual([]);
});

test.each([MediaType.ociIndex, MediaType.dockerList])(
  'does not contain the children of %s, even those that claim to be layers',
  (mediaType) => {
    expect(plain({ manifests: [layer()] }, mediaType)).toEqual([]);
  },
);

test('does not contain the blobs of an artifact manifest', () => {
  expect(plain({ blobs: [layer()] }, MediaType.ociArtifact)).toEqual([]);
});
