/**
 * podman, buildah, skopeo and CRI-O (containers/image): a ping for each endpoint, GET only, and a mirror that has
 * served the manifest must deliver every blob: there is no other host to ask any more.
 */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import {
  identityOf,
  readThenLeave,
  requestsOf,
  startClientWorld,
  wholeOf,
  type ClientWorld,
  type WireClient,
} from '../../support/client-world.ts';
import { readByteranges } from '../../support/byteranges.ts';
import type { StoredImage, StoredManifest } from '../../support/fake-registry.ts';
import { MINUTE } from '../../support/mirror-fixture.ts';

const MiB = 1024 * 1024;

const ACCEPT = [
  MediaType.ociManifest,
  MediaType.dockerManifest,
  MediaType.dockerSchema1Signed,
  MediaType.dockerSchema1,
  MediaType.dockerList,
  MediaType.ociIndex,
];

/** With the mirror as `location = "mirror/docker.io"`. */
const REPOSITORY = '/v2/docker.io/library/fedora';

function podmanOf(world: ClientWorld, connections = 1): WireClient {
  const headers = {
    'user-agent': 'containers/5.34.0 (github.com/containers/image)',
    'docker-distribution-api-version': 'registry/2.0',
    'accept-encoding': 'gzip',
  };
  return world.client(headers, connections);
}

function putFedora(world: ClientWorld): { index: StoredManifest; image: StoredImage } {
  const layers = [randomBytes(200_000), randomBytes(100_000)];
  const image = world.hub.putImage('library/fedora', undefined, { layers });
  const arm64 = world.hub.putImage('library/fedora', undefined, { config: { architecture: 'arm64' } });
  const index = world.hub.putIndex('library/fedora', '42', [
    { ...arm64.descriptor, platform: { os: 'linux', architecture: 'arm64' } },
    { ...image.descriptor, platform: { os: 'linux', architecture: 'amd64' } },
  ]);
  return { index, image };
}

async function pull(podman: WireClient, { index, image }: ReturnType<typeof putFedora>): Promise<void> {
  expect((await podman.get('/v2/')).status).toBe(200);
  const top = await podman.get(`${REPOSITORY}/manifests/42`, { accept: ACCEPT });
  expect(identityOf(top)).toEqual(wholeOf(index.descriptor));
  expect(top.headers['content-type']).toBe(MediaType.ociIndex);
  const child = await podman.get(`${REPOSITORY}/manifests/${image.digest}`, { accept: ACCEPT });
  expect(identityOf(child)).toEqual(wholeOf(image.descriptor));
  for (const descriptor of [image.config, ...image.layers]) {
    const answer = await podman.get(`${REPOSITORY}/blobs/${descriptor.digest}`);
    expect(identityOf(answer)).toEqual(wholeOf(descriptor));
  }
}

describe('a pull', () => {
  test('by GET alone costs Docker Hub one HEAD and each thing once; again, nothing', async () => {
    await using world = await startClientWorld();
    const fedora = putFedora(world);
    const podman = podmanOf(world);
    await pull(podman, fedora);
    await pull(podman, fedora);
    const { index, image } = fedora;
    expect(requestsOf(world.hub)).toEqual([
      'HEAD /v2/library/fedora/manifests/42',
      `GET /v2/library/fedora/manifests/${index.digest}`,
      `GET /v2/library/fedora/manifests/${image.digest}`,
      ...[image.config, ...image.layers].map(({ digest }) => `GET /v2/library/fedora/blobs/${digest}`),
    ]);
    expect(podman.connections).toBe(1);
  });

  test('of a cached image whose upstream is gone succeeds to the last blob', async () => {
    await using world = await startClientWorld();
    const fedora = putFedora(world);
    const podman = podmanOf(world);
    await pull(podman, fedora);
    world.hub.down();
    world.mirror.clock.advance(5 * MINUTE);
    await pull(podman, fedora);
    const { headers } = await podman.get(`${REPOSITORY}/manifests/42`, { accept: ACCEPT });
    expect(headers.warning).toMatch(/^299 - "/);
  });

  test('by digest only, as a mirror for digests gets them, asks upstream for no tag', async () => {
    await using world = await startClientWorld();
    const { index } = putFedora(world);
    const podman = podmanOf(world);
    for (const path of [
      `${REPOSITORY}/manifests/${index.digest}`,
      `${REPOSITORY}/manifests/${index.digest}`,
    ]) {
      expect(identityOf(await podman.get(path, { accept: ACCEPT }))).toEqual(wholeOf(index.descriptor));
    }
    expect(requestsOf(world.hub)).toEqual([`GET /v2/library/fedora/manifests/${index.digest}`]);
  });

  test('the ping promises neither signatures nor a challenge that would have to be answered', async () => {
    await using world = await startClientWorld();
    world.hub.down();
    const { status, headers } = await podmanOf(world).get('/v2/');
    expect(status).toBe(200);
    expect(headers).not.toHaveProperty('x-registry-supports-signatures');
    expect(headers).not.toHaveProperty('www-authenticate');
  });

  test('a missing signature tag is 404: no signature, instead of a failed pull', async () => {
    await using world = await startClientWorld();
    const { image } = putFedora(world);
    const tag = `${image.digest.replace(':', '-')}.sig`;
    const answer = await podmanOf(world).get(`${REPOSITORY}/manifests/${tag}`, { accept: ACCEPT });
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ code: 'MANIFEST_UNKNOWN' }] });
  });
});

describe('parts of a layer', () => {
  const content = randomBytes(3 * MiB);

  test.each(['cold', 'warm'])(
    'several ranges of a zstd:chunked layer, %s: a part for each, in order, and no other byte',
    async (temperature) => {
      await using world = await startClientWorld();
      const layer = world.hub.putBlob('library/fedora', content);
      const podman = podmanOf(world);
      const path = `${REPOSITORY}/blobs/${layer.digest}`;
      if (temperature === 'warm') await podman.get(path);
      const answer = await podman.get(path, { range: 'bytes=0-99,1048576-1048675,3000000-' });
      expect(answer.status).toBe(206);
      expect(answer.headers).not.toHaveProperty('content-range');
      const parts = readByteranges(answer.body, answer.headers['content-type']);
      expect(parts.map(({ start, end }) => [start, end])).toEqual([
        [0, 100],
        [1_048_576, 1_048_676],
        [3_000_000, content.length],
      ]);
      for (const { start, end, bytes } of parts)
        expect(bytes.equals(content.subarray(start, end))).toBe(true);
      expect(world.hub.requests).toHaveLength(1);
    },
  );

  test('one range, such as the table of contents at the end, is one part', async () => {
    await using world = await startClientWorld();
    const { digest, size } = world.hub.putBlob('library/fedora', content);
    const range = `bytes=${size - 5000}-${size - 1001}`;
    const answer = await podmanOf(world).get(`${REPOSITORY}/blobs/${digest}`, { range });
    expect([answer.status, answer.headers['content-range']]).toEqual([
      206,
      `bytes ${size - 5000}-${size - 1001}/${size}`,
    ]);
    expect(answer.body.equals(content.subarray(size - 5000, size - 1000))).toBe(true);
  });

  test('after a broken connection the rest comes as 206 from the byte asked for: 200 would fail the pull', async () => {
    await using world = await startClientWorld();
    const { digest, size } = world.hub.putBlob('library/fedora', content);
    const podman = podmanOf(world);
    const path = `${REPOSITORY}/blobs/${digest}`;
    const start = await readThenLeave(await podman.open(path), MiB + 17);
    const rest = await podman.get(path, { range: `bytes=${start.length}-` });
    expect(rest.status).toBe(206);
    expect(rest.headers['content-range']).toBe(`bytes ${start.length}-${size - 1}/${size}`);
    expect(digestOf(Buffer.concat([start, rest.body]))).toBe(digest);
    expect(world.hub.requests).toHaveLength(1);
  });
});
