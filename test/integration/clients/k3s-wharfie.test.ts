/**
 * k3s and RKE2 with registries.yaml: an endpoint with a path replaces the `/v2` of every request, the ping
 * included. containerd does it by `override_path`, wharfie, which pulls the runtime image, by itself, with
 * go-containerregistry above it.
 */
import { describe, expect, test } from 'vitest';
import { MediaType } from '../../../src/oci/media-type.ts';
import {
  identityOf,
  requestsOf,
  startClientWorld,
  wholeOf,
  type ClientWorld,
  type WireClient,
} from '../../support/client-world.ts';

const ACCEPT = [
  MediaType.dockerManifest,
  MediaType.ociManifest,
  MediaType.dockerList,
  MediaType.ociIndex,
].join(',');

function wharfieOf(world: ClientWorld): WireClient {
  return world.client({ 'user-agent': 'go-containerregistry/v0.20.2', 'accept-encoding': 'gzip' });
}

describe.each([
  ['https://mirror', '/v2'],
  ['https://mirror/v2', '/v2'],
  ['https://mirror/v2/docker.io', '/v2/docker.io'],
  ['https://mirror/docker.io/v2', '/docker.io/v2'],
])('with the endpoint %s', (_, path) => {
  test('the ping is 200, with ns as well: another status ends the pull, since there is no fallback', async () => {
    await using world = await startClientWorld();
    world.hub.down();
    const answer = await wharfieOf(world).get(`${path}/?ns=docker.io`);
    expect(answer.status).toBe(200);
    expect(answer.headers).not.toHaveProperty('www-authenticate');
    expect(world.hub.requests).toEqual([]);
  });

  test('the runtime image is pulled by the path with ns, and upstream sees neither', async () => {
    await using world = await startClientWorld();
    const image = world.hub.putImage('rancher/k3s', 'v1.32.1-k3s1', { layers: [Buffer.from('bin/k3s')] });
    const wharfie = wharfieOf(world);
    const repository = `${path}/rancher/k3s`;
    const tagged = await wharfie.get(`${repository}/manifests/v1.32.1-k3s1?ns=docker.io`, { accept: ACCEPT });
    expect(identityOf(tagged)).toEqual(wholeOf(image.descriptor));
    expect(tagged.headers['content-type']).toBe(image.mediaType);
    for (const descriptor of [image.config, ...image.layers]) {
      const answer = await wharfie.get(`${repository}/blobs/${descriptor.digest}?ns=docker.io`);
      expect(identityOf(answer)).toEqual(wholeOf(descriptor));
    }
    expect(requestsOf(world.hub)[0]).toBe('HEAD /v2/rancher/k3s/manifests/v1.32.1-k3s1');
    expect(world.hub.requests.map(({ query }) => query.size)).toEqual([0, 0, 0, 0]);
  });
});

test('the ping below the path of a registry that is mirrored needs no ns', async () => {
  await using world = await startClientWorld();
  const containerd = wharfieOf(world);
  expect((await containerd.get('/v2/ghcr.io/')).status).toBe(200);
  expect((await containerd.head('/v2/ghcr.io/')).status).toBe(200);
});

test('the mirror of "*" gets every registry by ns: those it knows, and for others 404 without asking anyone', async () => {
  await using world = await startClientWorld({ names: ['docker.io', 'quay.io'] });
  const image = world.registry('quay.io').putImage('coreos/etcd', 'v3');
  const containerd = world.client({ 'user-agent': 'containerd/2.1.4-k3s1', 'accept-encoding': 'gzip' });
  const found = await containerd.head('/v2/coreos/etcd/manifests/v3?ns=quay.io', { accept: `${ACCEPT},*/*` });
  expect(found.headers['docker-content-digest']).toBe(image.digest);
  const other = await containerd.head('/v2/team/app/manifests/1?ns=registry.example', { accept: '*/*' });
  expect(other.status).toBe(404);
  expect(requestsOf(world.registry('quay.io'))).toEqual(['HEAD /v2/coreos/etcd/manifests/v3']);
  expect(world.hub.requests).toEqual([]);
});

test('a rewrite that puts the registry’s name in front is the same image as without', async () => {
  await using world = await startClientWorld();
  const image = world.hub.putImage('rancher/mirrored-pause', '3.6');
  const containerd = world.client({ 'user-agent': 'containerd/2.1.4-k3s1', 'accept-encoding': 'gzip' });
  for (const name of ['docker.io/rancher/mirrored-pause', 'rancher/mirrored-pause']) {
    const answer = await containerd.head(`/v2/${name}/manifests/3.6?ns=docker.io`, { accept: '*/*' });
    expect(answer.headers['docker-content-digest']).toBe(image.digest);
  }
  expect(world.hub.requests).toHaveLength(1);
});
