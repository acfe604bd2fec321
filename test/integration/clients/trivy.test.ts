/**
 * Trivy: the vulnerability database is an artifact behind a tag that moves every few hours, and mirrors are a
 * replacement of the host in the name, so that the prefix stands behind `/v2/`, without `ns`.
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
import type { StoredManifest } from '../../support/fake-registry.ts';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { MINUTE } from '../../support/mirror-fixture.ts';
import { neverRespond } from '../../support/scripted-reply.ts';

const ACCEPT = [
  MediaType.dockerManifest,
  MediaType.ociManifest,
  MediaType.dockerList,
  MediaType.ociIndex,
].join(',');

const NAMES = ['docker.io', 'mirror.gcr.io', 'ghcr.io'];
const REPOSITORY = '/v2/ghcr.io/aquasecurity/trivy-db';

function trivyOf(world: ClientWorld): WireClient {
  const userAgent = 'trivy/0.66.0 go-containerregistry/v0.20.6';
  return world.client({ 'user-agent': userAgent, 'accept-encoding': 'gzip' });
}

function putDatabase(world: ClientWorld): {
  manifest: StoredManifest;
  config: Descriptor;
  layer: Descriptor;
} {
  const ghcr = world.registry('ghcr.io');
  const name = 'aquasecurity/trivy-db';
  const config = ghcr.putBlob(name, Buffer.from('{}'), 'application/vnd.aquasec.trivy.config.v1+json');
  const type = 'application/vnd.aquasec.trivy.db.layer.v1.tar+gzip';
  const layer = { ...ghcr.putBlob(name, randomBytes(300_000), type), annotations: { title: 'db.tar.gz' } };
  const manifest = ghcr.putManifest(name, '2', {
    schemaVersion: 2,
    artifactType: 'application/vnd.aquasec.trivy.config.v1+json',
    config,
    layers: [layer],
  });
  return { manifest, config, layer };
}

test('the database: a ping, the manifest by tag, and its one layer', async () => {
  await using world = await startClientWorld({ names: NAMES });
  const { manifest, layer } = putDatabase(world);
  const trivy = trivyOf(world);
  expect((await trivy.get('/v2/')).status).toBe(200);
  const answer = await trivy.get(`${REPOSITORY}/manifests/2`, { accept: ACCEPT });
  expect(identityOf(answer)).toEqual(wholeOf(manifest.descriptor));
  expect(answer.headers['content-type']).toBe(MediaType.ociManifest);
  expect(identityOf(await trivy.get(`${REPOSITORY}/blobs/${layer.digest}`))).toEqual(wholeOf(layer));
  expect(
    requestsOf(world.registry('ghcr.io')).map((request) => request.replace(/ .*\/trivy-db/, '')),
  ).toEqual(['HEAD/manifests/2', `GET/manifests/${manifest.digest}`, `GET/blobs/${layer.digest}`]);
});

test('what its first mirror lacks is a 404 there, and is found at the second, each by its prefix', async () => {
  await using world = await startClientWorld({ names: NAMES });
  const { manifest } = putDatabase(world);
  const trivy = trivyOf(world);
  const missing = await trivy.get('/v2/mirror.gcr.io/aquasec/trivy-db/manifests/2', { accept: ACCEPT });
  expect(missing.status).toBe(404);
  const found = await trivy.get(`${REPOSITORY}/manifests/2`, { accept: ACCEPT });
  expect(identityOf(found)).toEqual(wholeOf(manifest.descriptor));
  expect(requestsOf(world.registry('mirror.gcr.io'))).toEqual([
    'HEAD /v2/aquasec/trivy-db/manifests/2',
    // Only the document that GET brings is the registry's word.
    'GET /v2/aquasec/trivy-db/manifests/2',
  ]);
});

test('an image to scan is pulled by the replaced name, of whichever registry, also of one segment', async () => {
  await using world = await startClientWorld({ names: NAMES });
  const image = world.hub.putImage('library/python', '3', { layers: [randomBytes(1000)] });
  const trivy = trivyOf(world);
  for (const name of ['docker.io/library/python', 'docker.io/python']) {
    const answer = await trivy.get(`/v2/${name}/manifests/3`, { accept: ACCEPT });
    expect(identityOf(answer)).toEqual(wholeOf(image.descriptor));
    for (const descriptor of [image.config, ...image.layers]) {
      expect(identityOf(await trivy.get(`/v2/${name}/blobs/${descriptor.digest}`))).toEqual(
        wholeOf(descriptor),
      );
    }
  }
  expect(world.hub.requests).toHaveLength(4);
});

test('a new database reaches every scanner of a pipeline once the tag’s time to live is over, and is fetched once', async () => {
  await using world = await startClientWorld({ names: NAMES });
  putDatabase(world);
  const ghcr = world.registry('ghcr.io');
  await trivyOf(world).get(`${REPOSITORY}/manifests/2`, { accept: ACCEPT });
  const fresh = putDatabase(world);
  world.mirror.clock.advance(5 * MINUTE);
  const before = ghcr.requests.length;
  const silent = neverRespond();
  ghcr.fault({ kind: 'blob' }, silent);
  const scanners = Promise.all(
    Array.from({ length: 25 }, async () => {
      const trivy = trivyOf(world);
      const manifest = await trivy.get(`${REPOSITORY}/manifests/2`, { accept: ACCEPT });
      expect(identityOf(manifest)).toEqual(wholeOf(fresh.manifest.descriptor));
      const layer = await trivy.get(`${REPOSITORY}/blobs/${fresh.layer.digest}`);
      expect(identityOf(layer)).toEqual(wholeOf(fresh.layer));
    }),
  );
  await silent.reached;
  silent.release();
  await scanners;
  expect(ghcr.requests.slice(before).map(({ method, kind }) => `${method} ${kind}`)).toEqual([
    'HEAD manifest',
    'GET manifest',
    'GET blob',
  ]);
});

test('with upstream gone the last database is served, and Warning says that it is not confirmed', async () => {
  await using world = await startClientWorld({ names: NAMES });
  const { manifest, layer } = putDatabase(world);
  const trivy = trivyOf(world);
  await trivy.get(`${REPOSITORY}/manifests/2`, { accept: ACCEPT });
  await trivy.get(`${REPOSITORY}/blobs/${layer.digest}`);
  world.registry('ghcr.io').down();
  world.mirror.clock.advance(24 * 60 * MINUTE);
  const answer = await trivy.get(`${REPOSITORY}/manifests/2`, { accept: ACCEPT });
  expect(identityOf(answer)).toEqual(wholeOf(manifest.descriptor));
  expect(answer.headers.warning).toMatch(/^299 - "served from the cache without confirmation/);
  expect(identityOf(await trivy.get(`${REPOSITORY}/blobs/${layer.digest}`))).toEqual(wholeOf(layer));
});
