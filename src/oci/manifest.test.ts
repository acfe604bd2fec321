import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../test/support/code-of.ts';
import { digestOf } from './digest.ts';
import { MediaType } from './media-type.ts';
import { manifestEdges, parseManifest, referrerDescriptor, type Manifest } from './manifest.ts';

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

function descriptor(content: string, mediaType: string) {
  return { mediaType, digest: digestOf(content), size: content.length };
}

const CONFIG = descriptor('config', 'application/vnd.oci.image.config.v1+json');
const LAYER = descriptor('layer', 'application/vnd.oci.image.layer.v1.tar+gzip');
const FOREIGN = descriptor('foreign', 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip');
const CHILD = descriptor('child', MediaType.ociManifest);
const SUBJECT = descriptor('subject', MediaType.ociManifest);

const IMAGE = { schemaVersion: 2, mediaType: MediaType.ociManifest, config: CONFIG, layers: [LAYER] };
const INDEX = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [CHILD] };

describe('parseManifest', () => {
  it('reads an OCI manifest', () => {
    const image = { ...IMAGE, subject: SUBJECT, artifactType: 'a/b', annotations: { key: 'value' } };
    expect(parseManifest(bytes(image), MediaType.ociManifest)).toStrictEqual({
      mediaType: MediaType.ociManifest,
      config: CONFIG,
      layers: [LAYER],
      manifests: [],
      subject: SUBJECT,
      artifactType: 'a/b',
      annotations: { key: 'value' },
    });
  });

  it('reads a Docker manifest, to which subject, artifactType and annotations mean nothing', () => {
    const image = {
      ...IMAGE,
      mediaType: MediaType.dockerManifest,
      subject: 1,
      artifactType: 2,
      annotations: 3,
    };
    expect(parseManifest(bytes(image), MediaType.dockerManifest)).toStrictEqual({
      mediaType: MediaType.dockerManifest,
      config: CONFIG,
      layers: [LAYER],
      manifests: [],
    });
  });

  it.each([MediaType.ociIndex, MediaType.dockerList])('reads an index: %s', (mediaType) => {
    const platform = { os: 'linux', architecture: 'arm64', variant: 'v8' };
    const index = { ...INDEX, mediaType, manifests: [{ ...CHILD, platform }] };
    expect(parseManifest(bytes(index), mediaType)).toStrictEqual({
      mediaType,
      layers: [],
      manifests: [{ ...CHILD, platform }],
    });
  });

  it('reads an artifact manifest: its blobs are layers', () => {
    const artifact = {
      mediaType: MediaType.ociArtifact,
      artifactType: 'a/b',
      blobs: [LAYER],
      subject: SUBJECT,
    };
    expect(parseManifest(bytes(artifact), MediaType.ociArtifact)).toStrictEqual({
      mediaType: MediaType.ociArtifact,
      layers: [LAYER],
      manifests: [],
      subject: SUBJECT,
      artifactType: 'a/b',
    });
  });

  it.each([MediaType.dockerSchema1, MediaType.dockerSchema1Signed])(
    'leaves schema 1 opaque: %s',
    (mediaType) => {
      const schema1 = { schemaVersion: 1, name: 'a', fsLayers: [{ blobSum: 'x' }], signatures: [{}] };
      expect(parseManifest(bytes(schema1), mediaType)).toStrictEqual({
        mediaType,
        layers: [],
        manifests: [],
      });
    },
  );

  it.each([
    ['no mediaType', { ...IMAGE, mediaType: undefined }],
    ['an empty one', { ...IMAGE, mediaType: '' }],
    ['no layers', { ...IMAGE, layers: undefined }],
    ['null layers', { ...IMAGE, layers: null }],
    ['members of its own', { ...IMAGE, 'org.example': { manifests: [], layers: 1 } }],
    ['no schemaVersion', { ...IMAGE, schemaVersion: undefined }],
    ['null for the members of an index', { ...IMAGE, manifests: null }],
    ['the other name of its kind', { ...IMAGE, mediaType: MediaType.dockerManifest }],
    ['annotations that are null', { ...IMAGE, annotations: { a: null } }],
    ['a layer that is null', { ...IMAGE, layers: [null] }],
    [
      'a layer of an algorithm that is not registered',
      { ...IMAGE, layers: [{ ...LAYER, digest: 'blake3:00' }] },
    ],
    ['layers that are no list', { ...IMAGE, layers: { 0: LAYER } }],
    ['a subject that is no descriptor', { ...IMAGE, subject: { digest: 'x' } }],
    ['an artifactType that is no text', { ...IMAGE, artifactType: {} }],
  ])('accepts an image with %s', (_, image) => {
    expect(parseManifest(bytes(image), MediaType.ociManifest).config).toEqual(CONFIG);
  });

  it.each([[[]], [null], [undefined]])('accepts an index whose manifests are %j', (manifests) => {
    expect(parseManifest(bytes({ ...INDEX, manifests }), MediaType.ociIndex).manifests).toEqual([]);
  });

  it('accepts the parameters that some registries put into Content-Type', () => {
    expect(parseManifest(bytes(IMAGE), `${MediaType.ociManifest}; charset=utf-8`).mediaType).toBe(
      MediaType.ociManifest,
    );
  });

  it.each(['', 'text/html', 'application/json', 'application/octet-stream', 'constructor'])(
    'refuses the Content-Type %j',
    (mediaType) => {
      expect(codeOf(() => parseManifest(bytes(IMAGE), mediaType))).toBe('MANIFEST_INVALID');
    },
  );

  it.each([
    ['layers', MediaType.ociManifest, (list: unknown[]) => ({ ...IMAGE, layers: list })],
    ['layers', MediaType.dockerManifest, (list: unknown[]) => ({ config: CONFIG, layers: list })],
    ['manifests', MediaType.ociIndex, (list: unknown[]) => ({ manifests: list })],
    ['manifests', MediaType.dockerList, (list: unknown[]) => ({ manifests: list })],
    ['blobs', MediaType.ociArtifact, (list: unknown[]) => ({ blobs: list })],
  ] as const)('reads 4,000 %s of %s, and leaves out the rest', (_, mediaType, document) => {
    const read = (list: unknown[]) => parseManifest(bytes(document(list)), mediaType);
    const { layers, manifests } = read(Array.from({ length: 4001 }, () => LAYER));
    expect(layers.length + manifests.length).toBe(4000);
  });

  it.each([
    ['no config', { ...IMAGE, config: undefined }],
    ['a config that is no descriptor', { ...IMAGE, config: {} }],
    ['a digest that is a path', { ...IMAGE, config: { ...CONFIG, digest: 'sha256:/../x' } }],
    ['a negative size', { ...IMAGE, config: { ...CONFIG, size: -1 } }],
  ])('reads the layers of an image with %s', (_, image) => {
    expect(parseManifest(bytes(image), MediaType.ociManifest)).toStrictEqual({
      mediaType: MediaType.ociManifest,
      layers: [LAYER],
      manifests: [],
    });
  });

  it.each([
    ['schema 1', { ...IMAGE, schemaVersion: 1 }],
    ['the members of an index', { ...IMAGE, manifests: [] }],
    ['the type of an index', { ...IMAGE, mediaType: MediaType.ociIndex }],
    ['errors in place of a manifest', { errors: [{ code: 'UNKNOWN' }] }],
  ])('refuses an image with %s', (_, image) => {
    expect(codeOf(() => parseManifest(bytes(image), MediaType.ociManifest))).toBe('MANIFEST_INVALID');
  });

  it('accepts an index with an unreadable child, and reads the others', () => {
    const index = {
      ...INDEX,
      manifests: [{ ...CHILD, digest: `blake3:${'0'.repeat(64)}` }, CHILD],
      layers: null,
    };
    expect(parseManifest(bytes({ ...index, config: null }), MediaType.ociIndex).manifests).toEqual([CHILD]);
  });

  it('accepts any document that has the members of one kind, and only as that kind', () => {
    const junk = fc.oneof(fc.constant(null), fc.jsonValue());
    const descriptor = fc.record(
      { mediaType: junk, digest: fc.oneof(junk, fc.constant(LAYER.digest)), size: junk, annotations: junk },
      { requiredKeys: [] },
    );
    const list = fc.oneof(junk, fc.array(fc.oneof(junk, descriptor, fc.constant(LAYER))));
    const extra = { subject: fc.oneof(junk, descriptor), annotations: junk, artifactType: junk, data: junk };
    const image = fc.record(
      { ...extra, config: fc.oneof(junk, descriptor), layers: list, manifests: fc.constant(null) },
      { requiredKeys: ['layers'] },
    );
    const index = fc.record(
      { ...extra, manifests: list, layers: fc.constant(null), config: fc.constant(null) },
      { requiredKeys: ['manifests'] },
    );
    const images = fc.constantFrom(MediaType.ociManifest, MediaType.dockerManifest);
    const indexes = fc.constantFrom(MediaType.ociIndex, MediaType.dockerList);
    const own = <T>(types: fc.Arbitrary<T>) => fc.oneof(types, fc.constant(''), fc.constant(undefined));
    const kinds = fc.oneof(
      fc.tuple(image, images, own(images), fc.constant('image')),
      fc.tuple(index, indexes, own(indexes), fc.constant('index')),
    );
    fc.assert(
      fc.property(kinds, ([document, served, mediaType, kind]) => {
        const encoded = bytes({ ...document, mediaType });
        const parsed = parseManifest(encoded, served);
        expect(parsed.mediaType).toBe(mediaType === undefined || mediaType === '' ? served : mediaType);
        for (const { digest } of manifestEdges(parsed)) expect(digest).toMatch(/^sha(256|512):[0-9a-f]+$/);
        const members: Readonly<Record<string, unknown>> = document;
        const said =
          (mediaType === '' ? undefined : mediaType) ??
          members['layers'] ??
          members['config'] ??
          members['manifests'];
        // If all of them are null, there is nothing that two readers could take for different things.
        if (said === undefined || said === null) return;
        const other = kind === 'image' ? MediaType.ociIndex : MediaType.ociManifest;
        expect(codeOf(() => parseManifest(encoded, other))).toBe('MANIFEST_INVALID');
      }),
    );
  });

  it('throws nothing but MANIFEST_INVALID', () => {
    const value = fc.jsonValue();
    const members = {
      schemaVersion: value,
      mediaType: value,
      config: value,
      layers: value,
      manifests: value,
    };
    const document = fc.record({ ...members, subject: value, annotations: value }, { requiredKeys: [] });
    fc.assert(
      fc.property(document, fc.constantFrom(...Object.values(MediaType)), (document, mediaType) => {
        const code = codeOf(() => parseManifest(bytes(document), mediaType));
        expect([undefined, 'MANIFEST_INVALID']).toContain(code);
      }),
    );
  });
});

describe('manifestEdges', () => {
  const edge = (role: string, { digest, size, mediaType }: typeof LAYER) => ({
    role,
    digest,
    size,
    mediaType,
  });

  it('names config, layers and subject, foreign layers too', () => {
    const image = {
      ...IMAGE,
      layers: [LAYER, { ...FOREIGN, urls: ['https://example.com/'] }],
      subject: SUBJECT,
    };
    expect(manifestEdges(parseManifest(bytes(image), MediaType.ociManifest))).toEqual([
      edge('config', CONFIG),
      edge('layer', LAYER),
      edge('layer', FOREIGN),
      edge('subject', SUBJECT),
    ]);
  });

  it("names an index's children and subject", () => {
    expect(manifestEdges(parseManifest(bytes({ ...INDEX, subject: SUBJECT }), MediaType.ociIndex))).toEqual([
      edge('manifest', CHILD),
      edge('subject', SUBJECT),
    ]);
  });

  it('names a digest once in each of its roles', () => {
    const empty = descriptor('{}', 'application/vnd.oci.empty.v1+json');
    const image = { ...IMAGE, config: empty, layers: [empty, LAYER, empty] };
    expect(manifestEdges(parseManifest(bytes(image), MediaType.ociManifest))).toEqual([
      edge('config', empty),
      edge('layer', empty),
      edge('layer', LAYER),
    ]);
  });

  it('keeps the first size that a manifest gives for a digest', () => {
    const image = { ...IMAGE, layers: [LAYER, { ...LAYER, size: 999 }] };
    expect(manifestEdges(parseManifest(bytes(image), MediaType.ociManifest))).toEqual([
      edge('config', CONFIG),
      edge('layer', LAYER),
    ]);
  });

  it('finds no edges in schema 1', () => {
    expect(manifestEdges(parseManifest(bytes({ schemaVersion: 1 }), MediaType.dockerSchema1Signed))).toEqual(
      [],
    );
  });
});

describe('referrerDescriptor', () => {
  const self = { digest: digestOf('self'), size: 4 };
  const manifest: Manifest = { mediaType: MediaType.ociManifest, config: CONFIG, layers: [], manifests: [] };

  it.each<[string, Manifest, string | undefined]>([
    ['its own artifactType', { ...manifest, artifactType: 'a/b' }, 'a/b'],
    ["its config's media type where it has none", manifest, CONFIG.mediaType],
    [
      'none for an index without one',
      { mediaType: MediaType.ociIndex, layers: [], manifests: [] },
      undefined,
    ],
    [
      'its own for an index with one',
      { mediaType: MediaType.ociIndex, layers: [], manifests: [], artifactType: 'a/b' },
      'a/b',
    ],
  ])('has %s', (_, manifest, artifactType) => {
    expect(referrerDescriptor(manifest, self)).toStrictEqual({
      mediaType: manifest.mediaType,
      ...self,
      ...(artifactType !== undefined && { artifactType }),
    });
  });

  it('copies the annotations of the manifest', () => {
    const annotations = { 'org.opencontainers.image.created': '2026-01-01T00:00:00Z' };
    expect(referrerDescriptor({ ...manifest, annotations }, self).annotations).toEqual(annotations);
  });
});
