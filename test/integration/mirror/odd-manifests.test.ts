/** Documents and headers that clients take from a registry, though no specification allows them. */
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import { instead, registryError, status, withHeaders } from '../../support/scripted-reply.ts';

const PATH = '/v2/acme/app/manifests/latest';
const LAYER = Buffer.from('a layer');

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
}

async function start(): Promise<World> {
  const registry = await startFakeRegistry();
  const mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
  return {
    registry,
    mirror,
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

const layer = {
  mediaType: 'application/vnd.oci.image.layer.v1.tar',
  digest: digestOf(LAYER),
  size: LAYER.length,
};
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf('{}'), size: 2 };
const image = { schemaVersion: 2, mediaType: MediaType.ociManifest, config, layers: [layer] };
const child = { mediaType: MediaType.ociManifest, digest: digestOf('child'), size: 5 };
const index = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [child] };
const { mediaType: _, ...untyped } = layer;

describe('a manifest is served as it is', () => {
  test.each([
    ['an annotation is null', { ...image, annotations: { author: null } }],
    ['an annotation of a layer is a number', { ...image, layers: [{ ...layer, annotations: { n: 1 } }] }],
    ['an image says null where an index has manifests', { ...image, manifests: null }],
    ['an index says null where an image has layers', { ...index, layers: null, config: null }],
    ['a layer has no media type', { ...image, layers: [untyped] }],
    ['a layer has no size', { ...image, layers: [layer, { ...layer, size: undefined }] }],
    ['a layer is null', { ...image, layers: [layer, null] }],
    [
      'a child has a digest of an algorithm that is not registered',
      { ...index, manifests: [{ ...child, digest: `blake3:${'0'.repeat(64)}` }, child] },
    ],
    ['the subject is none', { ...image, subject: {} }],
    [
      'there are more layers than are recorded',
      { ...image, layers: Array.from({ length: 4001 }, () => layer) },
    ],
  ])('%s', async (_, document) => {
    await using world = await start();
    const { digest, bytes, mediaType } = world.registry.putManifest(
      'acme/app',
      'latest',
      document,
      document.mediaType,
    );
    for (const path of [PATH, `/v2/acme/app/manifests/${digest}`]) {
      const answer = await world.mirror.get(path);
      expect([answer.status, answer.headers['content-type']]).toEqual([200, mediaType]);
      expect(answer.body).toEqual(Buffer.from(bytes));
    }
    expect((await world.mirror.index.manifest(digest))?.descriptor.digest).toBe(digest);
  });

  test('a text in it is not UTF-8', async () => {
    await using world = await start();
    const document = Buffer.from(
      JSON.stringify({ ...image, annotations: { author: 'Ren\u00e9' } }),
      'latin1',
    );
    world.registry.putManifest('acme/app', 'latest', document);
    expect((await world.mirror.get(PATH)).body).toEqual(document);
  });

  test('what can be named of it is known: its layers are in its closure', async () => {
    await using world = await start();
    const { digest } = world.registry.putManifest('acme/app', 'latest', {
      ...image,
      layers: [null, untyped],
    });
    await world.mirror.get(PATH);
    expect(await world.mirror.index.closure(digest)).toEqual(
      expect.arrayContaining([config.digest, layer.digest]),
    );
  });

  test.each([
    [MediaType.ociManifest, MediaType.dockerManifest, image],
    [MediaType.dockerManifest, MediaType.ociManifest, image],
    [MediaType.ociIndex, MediaType.dockerList, index],
    [MediaType.dockerList, MediaType.ociIndex, index],
  ])('an %s that is labelled %s has the type that it names itself', async (own, label, document) => {
    await using world = await start();
    world.registry.putManifest('acme/app', 'latest', { ...document, mediaType: own }, label);
    expect((await world.mirror.get(PATH)).headers['content-type']).toBe(own);
  });
});

describe('a document is refused', () => {
  test.each([
    [
      'an index by its type and an image by its members',
      { ...image, mediaType: MediaType.ociIndex },
      MediaType.ociIndex,
    ],
    ['an image and an index by its members', { ...image, manifests: [child] }, MediaType.ociManifest],
    ['an image by its label and an index by its type', index, MediaType.ociManifest],
    ['an image with its layers in two spellings', { ...image, Layers: null }, MediaType.ociManifest],
    ['an error', { errors: [{ code: 'UNKNOWN' }] }, MediaType.ociManifest],
    ['an error', { errors: [{ code: 'UNKNOWN' }] }, MediaType.ociIndex],
  ])('that is %s', async (_, document, mediaType) => {
    await using world = await start();
    world.registry.putManifest('acme/app', 'latest', document, mediaType);
    expect((await world.mirror.get(PATH)).status).toBe(502);
    expect(await world.mirror.files('blobs/sha256')).toEqual([]);
  });
});

describe('HEAD', () => {
  const by = (digest: string): string => `/v2/acme/app/manifests/${digest}`;

  function asked({ registry }: World): [heads: number, gets: number] {
    return [
      registry.count({ kind: 'manifest', method: 'HEAD' }),
      registry.count({ kind: 'manifest', method: 'GET' }),
    ];
  }

  test('of a manifest by digest that is not here: one HEAD, and no pull', async () => {
    await using world = await start();
    const { digest, bytes, mediaType } = world.registry.putManifest('acme/app', undefined, image);
    const answers = await Promise.all([1, 2, 3].map(() => world.mirror.head(by(digest))));
    for (const { status, headers } of answers) {
      expect([status, headers['content-type'], headers['content-length']]).toEqual([
        200,
        mediaType,
        String(bytes.length),
      ]);
      expect(headers['docker-content-digest']).toBe(digest);
    }
    expect(asked(world)[1]).toBe(0);
    await world.mirror.get(by(digest));
    const before = asked(world);
    expect((await world.mirror.head(by(digest))).headers['cache-status']).toBe('larder; hit');
    expect(asked(world)).toEqual(before);
  });

  test.each([
    ['is refused', instead(registryError(403, 'DENIED'))],
    ['is said to be absent', instead(registryError(404, 'MANIFEST_UNKNOWN'))],
    ['is not done', instead(status(405))],
    ['tells no digest', withHeaders({ 'docker-content-digest': undefined })],
    ['tells no type of a manifest', withHeaders({ 'content-type': 'application/json' })],
    ['tells no length', withHeaders({ 'content-length': '0' })],
  ])('of one by digest %s upstream: a GET tells', async (_, fault) => {
    await using world = await start();
    const { digest, bytes } = world.registry.putManifest('acme/app', undefined, image);
    world.registry.fault({ kind: 'manifest', method: 'HEAD' }, fault);
    const { status: code, headers } = await world.mirror.head(by(digest));
    expect([code, headers['content-length']]).toEqual([200, String(bytes.length)]);
    expect(asked(world)).toEqual([1, 1]);
  });

  test('of one by digest that upstream does not have: 404, and remembered', async () => {
    await using world = await start();
    world.registry.putBlob('acme/app', LAYER);
    for (let i = 0; i < 3; i += 1) expect((await world.mirror.head(by(child.digest))).status).toBe(404);
    expect(asked(world)).toEqual([1, 1]);
  });

  const WRONG = [
    ['nothing', { 'content-length': '0' }],
    ['a compressed body', { 'content-length': '5', 'content-encoding': 'gzip' }],
  ] as const;

  test.each(WRONG)('of a manifest is told the length of %s: the manifest tells it', async (_, headers) => {
    await using world = await start();
    const { bytes } = world.registry.putManifest('acme/app', 'latest', image);
    world.registry.fault({ kind: 'manifest', method: 'HEAD' }, withHeaders(headers));
    const answer = await world.mirror.head(PATH);
    expect([answer.status, answer.headers['content-length']]).toEqual([200, String(bytes.length)]);
    expect(world.registry.count({ kind: 'manifest', method: 'GET' })).toBe(1);
  });

  test.each(WRONG)('of a blob is told the length of %s: a GET tells it', async (_, headers) => {
    await using world = await start();
    const { digest } = world.registry.putBlob('acme/app', LAYER);
    world.registry.fault({ kind: 'blob', method: 'HEAD' }, withHeaders(headers));
    const answer = await world.mirror.head(`/v2/acme/app/blobs/${digest}`);
    expect([answer.status, answer.headers['content-length']]).toEqual([200, String(LAYER.length)]);
  });

  test('of a blob, and nothing tells its length: a manifest that names it does', async () => {
    await using world = await start();
    world.registry.putBlob('acme/app', LAYER);
    world.registry.putManifest('acme/app', 'latest', image);
    await world.mirror.get(PATH);
    world.registry.fault({ kind: 'blob' }, withHeaders({ 'content-length': '5', 'content-encoding': 'br' }));
    const answer = await world.mirror.head(`/v2/acme/app/blobs/${layer.digest}`);
    expect(answer.headers['content-length']).toBe(String(LAYER.length));
  });

  test('of the empty blob: its length is 0', async () => {
    await using world = await start();
    const { digest } = world.registry.putBlob('acme/app', new Uint8Array());
    const answer = await world.mirror.head(`/v2/acme/app/blobs/${digest}`);
    expect([answer.status, answer.headers['content-length']]).toEqual([200, '0']);
    expect(world.registry.count({ kind: 'blob' })).toBe(1);
  });
});
