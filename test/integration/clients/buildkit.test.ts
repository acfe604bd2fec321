/**
 * BuildKit with mirrors in buildkitd.toml: containerd's resolver, but with the mirror's prefix behind `/v2/`,
 * and `ns` beside it. It never looks for referrers here.
 */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { MediaType } from '../../../src/oci/media-type.ts';
import {
  identityOf,
  requestsOf,
  startClientWorld,
  wholeOf,
  type ClientWorld,
  type WireClient,
} from '../../support/client-world.ts';
import { instead, neverRespond, status } from '../../support/scripted-reply.ts';

const ACCEPT = [
  MediaType.dockerManifest,
  MediaType.dockerList,
  MediaType.ociManifest,
  MediaType.ociIndex,
  '*/*',
].join(', ');

/** About four connections to one registry, and one more for what is JSON. */
function buildkitOf(world: ClientWorld): WireClient {
  return world.client({ 'user-agent': 'buildkit/v0.23', 'accept-encoding': 'gzip' }, 5);
}

test.each([
  ['docker.io', 'docker.io', 'library/alpine'],
  ['ghcr.io', 'ghcr.io', 'acme/base'],
  // mirrors = ["mirror"], without a prefix
  ['', 'ghcr.io', 'acme/base'],
])('FROM through the prefix "%s" with ns=%s: the prefix goes, the repository stays', async (...given) => {
  const [prefix, ns, repository] = given;
  await using world = await startClientWorld();
  const image = world.registry(ns).putImage(repository, '3', { layers: [randomBytes(1000)] });
  const buildkit = buildkitOf(world);
  const base = `/v2/${prefix === '' ? '' : `${prefix}/`}${repository}`;
  const head = await buildkit.head(`${base}/manifests/3?ns=${ns}`, { accept: ACCEPT });
  expect(head.headers['docker-content-digest']).toBe(image.digest);
  const manifest = await buildkit.get(`${base}/manifests/${image.digest}?ns=${ns}`);
  expect(identityOf(manifest)).toEqual(wholeOf(image.descriptor));
  for (const descriptor of [image.config, ...image.layers]) {
    const answer = await buildkit.get(`${base}/blobs/${descriptor.digest}?ns=${ns}`);
    expect(identityOf(answer)).toEqual(wholeOf(descriptor));
  }
  expect(requestsOf(world.registry(ns))).toEqual([
    `HEAD /v2/${repository}/manifests/3`,
    `GET /v2/${repository}/manifests/${image.digest}`,
    ...[image.config, ...image.layers].map(({ digest }) => `GET /v2/${repository}/blobs/${digest}`),
  ]);
  await expect.poll(() => world.mirror.served.length).toBe(4);
  expect(world.mirror.served[0]).toMatchObject({ upstream: ns, repository, reference: '3' });
});

test('a prefix that names another registry than ns is no guess of ours: 404, and nobody is asked', async () => {
  await using world = await startClientWorld();
  world.registry('ghcr.io').putImage('acme/base', '3');
  world.hub.putImage('acme/base', '3');
  const buildkit = buildkitOf(world);
  const answer = await buildkit.head('/v2/ghcr.io/acme/base/manifests/3?ns=docker.io', { accept: ACCEPT });
  expect(answer.status).toBe(404);
  expect([...requestsOf(world.hub), ...requestsOf(world.registry('ghcr.io'))]).toEqual([]);
});

test('the same image with and without the prefix, or by dockerd’s place for it, is cached once', async () => {
  await using world = await startClientWorld();
  const image = world.hub.putImage('library/alpine', '3');
  const buildkit = buildkitOf(world);
  for (const base of ['/v2/docker.io', '/v2', '/docker.io/v2']) {
    const answer = await buildkit.get(`${base}/library/alpine/manifests/3?ns=docker.io`, { accept: ACCEPT });
    expect(identityOf(answer)).toEqual(wholeOf(image.descriptor));
  }
  expect(world.hub.requests).toHaveLength(2);
});

test('builds at the same time share the fetch of a base image’s layers, four at a time', async () => {
  await using world = await startClientWorld();
  const layers = Array.from({ length: 4 }, () => randomBytes(300_000));
  const image = world.hub.putImage('library/alpine', '3', { layers });
  const silent = neverRespond();
  world.hub.fault({ kind: 'blob' }, silent);
  const pulls = [1, 2, 3].flatMap(() => {
    const buildkit = buildkitOf(world);
    return image.layers.map(async (layer) => {
      const path = `/v2/docker.io/library/alpine/blobs/${layer.digest}?ns=docker.io`;
      expect(identityOf(await buildkit.get(path))).toEqual(wholeOf(layer));
    });
  });
  await silent.reached;
  silent.release();
  await Promise.all(pulls);
  expect(requestsOf(world.hub).sort()).toEqual(
    image.layers.map(({ digest }) => `GET /v2/library/alpine/blobs/${digest}`).sort(),
  );
});

test('its retry after a failed answer is a question of its own: a failure is not remembered', async () => {
  await using world = await startClientWorld();
  const image = world.hub.putImage('library/alpine', '3');
  // The HEAD, and the GET that follows a HEAD that is refused.
  world.hub.fault({ kind: 'manifest', times: 2 }, instead(status(500)));
  const buildkit = buildkitOf(world);
  const path = '/v2/docker.io/library/alpine/manifests/3?ns=docker.io';
  expect((await buildkit.head(path, { accept: ACCEPT })).status).toBe(502);
  expect((await buildkit.head(path, { accept: ACCEPT })).headers['docker-content-digest']).toBe(image.digest);
});
