/**
 * The OCI distribution spec's conformance suite, as far as it is about pulling and discovery: what it asks for,
 * with the content that it generates, and every header that it holds an answer to. Digest headers are required,
 * as by its version `1.1+dev`. Everything is asked for twice: while it is not cached, and when it is.
 */
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { digestOf, type Digest } from '../../../src/oci/digest.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import { startClientWorld, type ClientWorld, type WireClient } from '../../support/client-world.ts';
import type { FakeRegistry } from '../../support/fake-registry.ts';
import type { ReceivedAnswer } from '../../support/http-get.ts';
import { instead } from '../../support/scripted-reply.ts';

const ACCEPT = { accept: [MediaType.ociIndex, MediaType.ociManifest] };
const REPOSITORY = '/v2/acme/conformance';
const NAME = 'acme/conformance';
const EXAMPLE = 'application/vnd.example.oci.conformance';
const EMPTY = 'application/vnd.oci.empty.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

function suiteOf(world: ClientWorld): WireClient {
  return world.client({ 'user-agent': 'Go-http-client/1.1', 'accept-encoding': 'gzip' });
}

function parse(answer: ReceivedAnswer): Record<string, unknown> {
  return JSON.parse(answer.body.toString()) as Record<string, unknown>;
}

interface Content {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

function expectHeaders(answer: ReceivedAnswer, { digest, mediaType, bytes }: Content): void {
  expect(answer.status).toBe(200);
  expect(answer.headers).toMatchObject({
    'content-type': mediaType,
    'content-length': String(bytes.length),
    'docker-content-digest': digest,
  });
}

/** HEAD, then GET: cold, and then warm. */
async function expectBoth(client: WireClient, path: string, content: Content): Promise<void> {
  for (let i = 0; i < 2; i += 1) {
    const head = await client.head(path, ACCEPT);
    expectHeaders(head, content);
    expect(head.body.length).toBe(0);
    const answer = await client.get(path, ACCEPT);
    expectHeaders(answer, content);
    expect(answer.body.equals(content.bytes)).toBe(true);
  }
}

test('the ping is 200', async () => {
  await using world = await startClientWorld();
  expect((await suiteOf(world).get('/v2/')).status).toBe(200);
});

describe('manifests', () => {
  /** What an image of the suite consists of; a layer for each way to push. */
  function parts(hub: FakeRegistry, count = 4): { config: Descriptor; layers: Descriptor[] } {
    return {
      config: hub.putBlob(NAME, Buffer.from('{"architecture":"amd64","os":"linux"}'), CONFIG),
      layers: Array.from({ length: count }, () => hub.putBlob(NAME, randomBytes(2048), LAYER)),
    };
  }

  function image(hub: FakeRegistry, members: object = {}): object {
    return { schemaVersion: 2, mediaType: MediaType.ociManifest, ...parts(hub), ...members };
  }

  function artifact(hub: FakeRegistry, members: object = {}): object {
    const config = hub.putBlob(NAME, Buffer.from('{}'), EMPTY);
    const layers = [hub.putBlob(NAME, randomBytes(64), EXAMPLE)];
    return image(hub, { artifactType: EXAMPLE, config, layers, ...members });
  }

  function put(hub: FakeRegistry, document: object): Descriptor {
    const { mediaType } = document as { mediaType: string };
    return hub.putManifest(NAME, undefined, document, mediaType).descriptor;
  }

  function index(hub: FakeRegistry, children: readonly object[], members: object = {}): object {
    const manifests = children.map((child, i) => ({
      ...put(hub, child),
      platform: { os: 'linux', architecture: ['amd64', 'arm64'][i] ?? 'riscv64' },
    }));
    return { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests, ...members };
  }

  /** The suite's data, by its own names. */
  const data: Readonly<Record<string, (hub: FakeRegistry) => object>> = {
    image: (hub) => image(hub),
    'image-uncompressed': (hub) =>
      image(hub, {
        layers: [hub.putBlob(NAME, randomBytes(2048), 'application/vnd.oci.image.layer.v1.tar')],
      }),
    'large-manifest': (hub) =>
      image(hub, {
        annotations: Object.fromEntries(
          Array.from({ length: 390 }, (_, i) => [`large-annotation-${i}`, 'A'.repeat(10_000)]),
        ),
      }),
    index: (hub) => index(hub, [image(hub), image(hub)]),
    'nested-index': (hub) => {
      const manifests = [1, 2].map(() => put(hub, index(hub, [image(hub), image(hub)])));
      return { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests };
    },
    'empty-index': (hub) => index(hub, []),
    artifact: (hub) => artifact(hub),
    'artifact-index': (hub) => index(hub, [artifact(hub), artifact(hub)], { artifactType: EXAMPLE }),
    'artifact-without-layers': (hub) =>
      artifact(hub, { layers: [hub.putBlob(NAME, Buffer.from('{}'), EMPTY)] }),
    'artifact-with-subject': (hub) => artifact(hub, { subject: put(hub, image(hub)) }),
    'index-with-subject': (hub) =>
      index(hub, [artifact(hub)], { artifactType: EXAMPLE, subject: put(hub, index(hub, [image(hub)])) }),
    'missing-subject': (hub) =>
      artifact(hub, {
        subject: { mediaType: MediaType.ociManifest, digest: digestOf('missing content'), size: 123 },
      }),
    'data-field': (hub) => {
      const config = { ...hub.putBlob(NAME, Buffer.from('{}'), CONFIG), data: 'e30=' };
      return image(hub, { config });
    },
    'non-distributable-layers': (hub) =>
      image(hub, {
        layers: ['tar', 'tar+gzip'].map((suffix) => ({
          mediaType: `application/vnd.oci.image.layer.nondistributable.v1.${suffix}`,
          digest: digestOf(suffix),
          size: 123_456,
          urls: [`https://store.example.com/blobs/${digestOf(suffix)}`],
        })),
      }),
    'custom-fields': (hub) =>
      index(hub, [image(hub, { 'org.example.extra': 'a' })], { 'org.example.extra': { nested: [1, null] } }),
    'no-layers': (hub) => image(hub, { layers: [] }),
    'no-media-type': (hub) => image(hub, { mediaType: undefined }),
  };

  test.each(Object.entries(data))('%s: by tag and by digest, by HEAD and GET', async (tag, make) => {
    await using world = await startClientWorld();
    const document = make(world.hub) as { mediaType?: string };
    const stored = world.hub.putManifest(NAME, tag, document, document.mediaType);
    const client = suiteOf(world);
    await expectBoth(client, `${REPOSITORY}/manifests/${tag}`, stored);
    await expectBoth(client, `${REPOSITORY}/manifests/${stored.digest}`, stored);
    expect(client.connections).toBe(1);
  });

  test('sha512: a tag that upstream names by sha512, and that digest, have it in their headers', async () => {
    await using world = await startClientWorld();
    const bytes = Buffer.from(JSON.stringify(image(world.hub)));
    const digest = sha512(bytes);
    const headers = { 'content-type': MediaType.ociManifest, 'docker-content-digest': digest };
    world.hub.putManifest(NAME, undefined, bytes);
    world.hub.fault(
      { kind: 'manifest', reference: 'sha512' },
      instead({ status: 200, headers, body: bytes }),
    );
    const content = { digest, mediaType: MediaType.ociManifest, bytes };
    const client = suiteOf(world);
    await expectBoth(client, `${REPOSITORY}/manifests/sha512`, content);
    await expectBoth(client, `${REPOSITORY}/manifests/${digest}`, content);
  });

  test.each([
    ['by digest', digestOf(randomBytes(1024)), 404],
    ['by tag', 'missing-0123456789abcdef', 404],
    ['by a digest that is none', 'sha256:baddigeststring', 400],
  ])('a missing one %s', async (_, reference, status) => {
    await using world = await startClientWorld();
    put(world.hub, image(world.hub));
    const client = suiteOf(world);
    const path = `${REPOSITORY}/manifests/${reference}`;
    expect((await client.head(path, ACCEPT)).status).toBe(status);
    const answer = await client.get(path, ACCEPT);
    expectError(answer, status, status === 404 ? 'MANIFEST_UNKNOWN' : 'DIGEST_INVALID');
  });
});

describe('blobs', () => {
  function put(hub: FakeRegistry, bytes: Uint8Array): Content {
    return { digest: hub.putBlob(NAME, bytes).digest, mediaType: 'application/octet-stream', bytes };
  }

  test.each([
    ['random bytes', randomBytes(2048)],
    ['the empty JSON', Buffer.from('{}')],
    ['nothing at all', Buffer.alloc(0)],
  ])('%s: by HEAD and GET', async (_, bytes) => {
    await using world = await startClientWorld();
    const content = put(world.hub, bytes);
    await expectBoth(suiteOf(world), `${REPOSITORY}/blobs/${content.digest}`, content);
  });

  test.each([
    ['random bytes', randomBytes(2048)],
    ['nothing at all', Buffer.alloc(0)],
  ])('sha512 of %s: by HEAD and GET', async (_, bytes) => {
    await using world = await startClientWorld();
    const digest = sha512(bytes);
    const headers = { 'docker-content-digest': digest };
    world.hub.fault({ kind: 'blob', digest }, instead({ status: 200, headers, body: bytes }));
    const content = { digest, mediaType: 'application/octet-stream', bytes };
    await expectBoth(suiteOf(world), `${REPOSITORY}/blobs/${digest}`, content);
  });

  const bytes = randomBytes(2048);

  test.each([
    ['bytes=500-1499', 500, 1500],
    ['bytes=500-', 500, 2048],
    ['bytes=-500', 1548, 2048],
    ['bytes=2000-5000', 2000, 2048],
  ])('%s of 2048 bytes is 206 with that part', async (range, start, end) => {
    await using world = await startClientWorld();
    const { digest } = put(world.hub, bytes);
    const client = suiteOf(world);
    for (let i = 0; i < 2; i += 1) {
      const answer = await client.get(`${REPOSITORY}/blobs/${digest}`, { range });
      expect(answer.status).toBe(206);
      expect(answer.headers).toMatchObject({
        'content-length': String(end - start),
        'content-range': `bytes ${start}-${end - 1}/2048`,
        'docker-content-digest': digest,
      });
      expect(answer.body.equals(bytes.subarray(start, end))).toBe(true);
    }
  });

  test.each(['bytes=500-0', 'bytes=5000-10000'])('%s of 2048 bytes is 416', async (range) => {
    await using world = await startClientWorld();
    const { digest } = put(world.hub, bytes);
    const client = suiteOf(world);
    for (let i = 0; i < 2; i += 1) {
      const answer = await client.get(`${REPOSITORY}/blobs/${digest}`, { range });
      expect([answer.status, answer.headers['content-range']]).toEqual([416, 'bytes */2048']);
    }
  });

  test.each([
    ['with a digest that nothing has', digestOf(randomBytes(1024)), 404, 'BLOB_UNKNOWN'],
    ['with a digest that is none', 'sha256:baddigeststring', 400, 'DIGEST_INVALID'],
    ['with an algorithm that nobody knows', `md5:${'0'.repeat(32)}`, 400, 'DIGEST_INVALID'],
  ])('a missing one %s', async (_, digest, status, code) => {
    await using world = await startClientWorld();
    put(world.hub, bytes);
    const client = suiteOf(world);
    expect((await client.head(`${REPOSITORY}/blobs/${digest}`)).status).toBe(status);
    expectError(await client.get(`${REPOSITORY}/blobs/${digest}`), status, code);
  });
});

describe('tags', () => {
  test('the list holds every tag, in order; what comes with last begins behind it', async () => {
    await using world = await startClientWorld();
    const { digest } = world.hub.putImage(NAME, undefined);
    const tags = ['image', 'index', 'Upper', '0', 'a.b', 'a-b', 'a_b', 'a'];
    for (const tag of tags) world.hub.tag(NAME, tag, digest);
    const sorted = [...tags].sort();
    const client = suiteOf(world);
    const list = await client.get(`${REPOSITORY}/tags/list`);
    expect(list.headers['content-type']).toBe('application/json');
    expect(list.headers['content-length']).toBe(String(list.body.length));
    expect(parse(list)).toEqual({ name: NAME, tags: sorted });
    const partial = await client.get(`${REPOSITORY}/tags/list?last=${sorted[3]}`);
    expect(parse(partial)).toEqual({ name: NAME, tags: sorted.slice(4) });
    const nothing = await client.get(`${REPOSITORY}/tags/list?n=0`);
    expect(parse(nothing)).toEqual({ name: NAME, tags: [] });
    expect(nothing.headers).not.toHaveProperty('link');
    const two = await client.get(`${REPOSITORY}/tags/list?n=2`);
    expect(parse(two)).toEqual({ name: NAME, tags: sorted.slice(0, 2) });
    expect(two.headers['link']).toMatch(/^<\/v2\/[^>]+>; rel="next"$/);
  });

  test('of a repository without tags, or without existence', async () => {
    await using world = await startClientWorld();
    world.hub.putImage(NAME, undefined);
    const client = suiteOf(world);
    expect(parse(await client.get(`${REPOSITORY}/tags/list`))).toEqual({ name: NAME, tags: [] });
    expectError(await client.get('/v2/acme/none/tags/list'), 404, 'NAME_UNKNOWN');
  });
});

describe('referrers', () => {
  function expectIndex(
    answer: ReceivedAnswer,
  ): { digest: string; artifactType?: string; annotations?: object }[] {
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe(MediaType.ociIndex);
    expect(answer.headers['content-length']).toBe(String(answer.body.length));
    const document = parse(answer);
    expect(document).toMatchObject({ schemaVersion: 2, mediaType: MediaType.ociIndex });
    return document['manifests'] as { digest: string; artifactType?: string }[];
  }

  test.each([
    ['of a digest that nothing has', `${REPOSITORY}/referrers/${digestOf('x')}`],
    ['of a repository that does not exist', `/v2/acme/none/referrers/${digestOf('x')}`],
    ['of a sha512 digest', `${REPOSITORY}/referrers/${sha512(Buffer.from('x'))}`],
  ])('%s: an index of none', async (_, path) => {
    await using world = await startClientWorld();
    world.hub.putImage(NAME, 'image');
    expect(expectIndex(await suiteOf(world).get(path))).toEqual([]);
  });

  test('of an image, also one that is missing: each with its type, and the filter is honest', async () => {
    await using world = await startClientWorld();
    const missing: Descriptor = {
      mediaType: MediaType.ociManifest,
      digest: digestOf('missing content'),
      size: 123,
    };
    const client = suiteOf(world);
    for (const subject of [world.hub.putImage(NAME, 'image').descriptor, missing]) {
      const [first, second] = [`${EXAMPLE}.1`, `${EXAMPLE}.2`].map((artifactType) =>
        world.hub.putImage(NAME, undefined, { subject, artifactType, config: { artifactType } }),
      );
      const path = `${REPOSITORY}/referrers/${subject.digest}`;
      const all = await client.get(path);
      expect(new Set(expectIndex(all).map(({ digest }) => digest))).toEqual(
        new Set([first?.digest, second?.digest]),
      );
      expect(all.headers).not.toHaveProperty('oci-filters-applied');
      const filtered = await client.get(`${path}?artifactType=${encodeURIComponent(`${EXAMPLE}.2`)}`);
      expect(filtered.headers['oci-filters-applied']).toBe('artifactType');
      expect(expectIndex(filtered)).toMatchObject([{ digest: second?.digest, artifactType: `${EXAMPLE}.2` }]);
    }
  });

  test('of a digest that is none: 400', async () => {
    await using world = await startClientWorld();
    const answer = await suiteOf(world).get(`${REPOSITORY}/referrers/sha256:baddigeststring`);
    expectError(answer, 400, 'DIGEST_INVALID');
  });
});

test.each([
  ['POST', `${REPOSITORY}/blobs/uploads/`],
  ['PUT', `${REPOSITORY}/manifests/latest`],
  ['DELETE', `${REPOSITORY}/manifests/latest`],
  ['DELETE', `${REPOSITORY}/blobs/${digestOf('x')}`],
])('%s %s is told to be unsupported, which the suite does not count as a failure', async (method, path) => {
  await using world = await startClientWorld();
  expectError(await world.mirror.get(path, { method }), 405, 'UNSUPPORTED');
  expect(world.hub.requests).toEqual([]);
});

function sha512(content: Uint8Array): Digest {
  return `sha512:${createHash('sha512').update(content).digest('hex')}` as Digest;
}

/** The error document of the spec, with nothing in it that it does not know. */
function expectError(answer: ReceivedAnswer, status: number, code: string): void {
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toBe('application/json');
  const { errors } = parse(answer) as { errors: object[] };
  expect(errors).toEqual([{ code, message: expect.any(String) as string }]);
}
