import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf, type Digest } from '../oci/digest.ts';
import { MediaType } from '../oci/media-type.ts';
import { mayBeManifest, recogniseManifest } from './recognise.ts';

const CONFIG = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf('config'), size: 6 };
const LAYER = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf('layer'), size: 5 };
const IMAGE = { schemaVersion: 2, config: CONFIG, layers: [LAYER] };
const CHILD = { mediaType: MediaType.ociManifest, digest: digestOf('child'), size: 5 };

function recognise(document: unknown, digest?: Digest): ReturnType<typeof recogniseManifest> {
  const bytes = Buffer.from(typeof document === 'string' ? document : JSON.stringify(document));
  return recogniseManifest(digest ?? digestOf(bytes), bytes);
}

describe('a manifest is recognised', () => {
  it.each([
    ['an OCI image', MediaType.ociManifest, IMAGE],
    ['an OCI image without a media type', MediaType.ociManifest, IMAGE, {}],
    ['a Docker image', MediaType.dockerManifest, IMAGE],
    ['an OCI index', MediaType.ociIndex, { schemaVersion: 2, manifests: [CHILD] }],
    ['an OCI index without a media type', MediaType.ociIndex, { schemaVersion: 2, manifests: [CHILD] }, {}],
    ['a Docker list', MediaType.dockerList, { schemaVersion: 2, manifests: [CHILD] }],
    ['an artifact', MediaType.ociArtifact, { blobs: [LAYER] }],
  ])('%s', (_, mediaType, document, own = { mediaType }) => {
    expect(recognise({ ...document, ...own })?.entry.descriptor.mediaType).toBe(mediaType);
  });

  it('with those of its references that have a valid digest', () => {
    const edges = [{ role: 'layer', ...LAYER }];
    expect(recognise({ ...IMAGE, config: { ...CONFIG, digest: '../../etc' } })?.edges).toEqual(edges);
  });

  it('with what it refers to, as a referrers answer shows it', () => {
    const subject = { mediaType: MediaType.ociManifest, digest: digestOf('subject'), size: 7 };
    const document = { ...IMAGE, subject, annotations: { a: 'b' }, artifactType: 'application/x' };
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = digestOf(bytes, 'sha512');
    expect(recogniseManifest(digest, bytes)).toEqual({
      entry: {
        descriptor: {
          mediaType: MediaType.ociManifest,
          digest,
          size: bytes.length,
          annotations: { a: 'b' },
          artifactType: 'application/x',
        },
        subject: subject.digest,
      },
      edges: [
        { role: 'config', ...CONFIG },
        { role: 'layer', ...LAYER },
        { role: 'subject', ...subject },
      ],
    });
  });
});

describe('no manifest is', () => {
  it.each([
    ['an image configuration', { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers' } }],
    ['a schema 1 manifest', { schemaVersion: 1, name: 'library/debian', fsLayers: [] }],
    [
      'a schema 1 manifest that says so',
      { schemaVersion: 1, mediaType: MediaType.dockerSchema1Signed, fsLayers: [] },
    ],
    ['a document of another type', { ...IMAGE, mediaType: 'application/json' }],
    ['an image and an index at once', { ...IMAGE, manifests: [] }],
    ['a shape without its version', { config: CONFIG, layers: [] }],
    ['a list', []],
    ['text', 'hello'],
    ['nothing', ''],
  ])('%s', (_, document) => {
    expect(recognise(document)).toBeUndefined();
  });

  it('a manifest whose bytes are not those of the digest', () => {
    expect(recognise(IMAGE, digestOf('other'))).toBeUndefined();
  });

  it('any bytes, and none of them makes it throw', () => {
    const json = fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)));
    const mutated = fc
      .tuple(fc.nat(JSON.stringify(IMAGE).length - 1), fc.nat(255))
      .map(([position, byte]) => {
        const bytes = Buffer.from(JSON.stringify(IMAGE));
        bytes[position] = byte;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), json, mutated), (bytes) => {
        const digest = digestOf(bytes);
        const found = recogniseManifest(digest, bytes);
        if (found === undefined) return;
        expect(mayBeManifest(bytes.subarray(0, 64))).toBe(true);
        expect(found.entry.descriptor.digest).toBe(digest);
      }),
    );
  });
});

describe('mayBeManifest', () => {
  it.each([
    [true, '{'],
    [true, ' \r\n\t{"'],
    [false, ''],
    [false, '[{'],
    [false, '\u001f\u008b'],
    [false, 'etc/passwd\0{'],
  ])('is %s for bytes that begin with %j', (expected, head) => {
    expect(mayBeManifest(Buffer.from(head, 'latin1'))).toBe(expected);
  });
});
