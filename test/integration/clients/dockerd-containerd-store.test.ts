/**
 * dockerd with the containerd image store (the default of new installations): containerd's resolver with
 * `ns=docker.io`, and the search for attestations with every pull.
 */
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
import type { StoredImage, StoredManifest } from '../../support/fake-registry.ts';

const ACCEPT = [
  MediaType.dockerManifest,
  MediaType.dockerList,
  MediaType.ociManifest,
  MediaType.ociIndex,
  '*/*',
].join(', ');

function dockerdOf(world: ClientWorld): WireClient {
  const userAgent = 'containerd/2.1.4+unknown storage-driver/overlayfs';
  return world.client({ 'user-agent': userAgent, 'accept-encoding': 'gzip' });
}

/** What BuildKit pushes: an image, and a manifest with its provenance for a platform that is none. */
function putAttested(world: ClientWorld): {
  index: StoredManifest;
  image: StoredImage;
  attestation: StoredImage;
} {
  const image = world.hub.putImage('acme/app', undefined);
  const attestation = world.hub.putImage('acme/app', undefined, { layers: [Buffer.from('{"_type":"s"}')] });
  const index = world.hub.putIndex('acme/app', '1', [
    { ...image.descriptor, platform: { os: 'linux', architecture: 'amd64' } },
    {
      ...attestation.descriptor,
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': image.digest,
      },
    },
  ]);
  return { index, image, attestation };
}

test.each(['', '/docker.io', '/mirror'])(
  'a mirror at http://mirror%s: the path goes in front of /v2, and ns says what is meant',
  async (base) => {
    await using world = await startClientWorld();
    const { index, image } = putAttested(world);
    const dockerd = dockerdOf(world);
    const repository = `${base}/v2/acme/app`;
    const head = await dockerd.head(`${repository}/manifests/1?ns=docker.io`, { accept: ACCEPT });
    expect(head.headers).toMatchObject({
      'docker-content-digest': index.digest,
      'content-type': MediaType.ociIndex,
      'content-length': String(index.bytes.length),
      'oci-namespace': 'docker.io',
    });
    for (const { digest, size } of [index.descriptor, image.descriptor]) {
      const answer = await dockerd.get(`${repository}/manifests/${digest}?ns=docker.io`);
      expect(identityOf(answer)).toEqual(wholeOf({ digest, size }));
    }
    expect(requestsOf(world.hub)).toEqual([
      'HEAD /v2/acme/app/manifests/1',
      `GET /v2/acme/app/manifests/${index.digest}`,
      `GET /v2/acme/app/manifests/${image.digest}`,
    ]);
  },
);

test('referrers of attestations, looked for with every pull, are an empty index that upstream is asked for once', async () => {
  await using world = await startClientWorld({ registry: { referrers: false } });
  const { attestation } = putAttested(world);
  const dockerd = dockerdOf(world);
  const path = `/v2/acme/app/referrers/${attestation.digest}?ns=docker.io`;
  const asked = (): string[] => requestsOf(world.hub);
  for (let pulls = 0; pulls < 3; pulls += 1) {
    const answer = await dockerd.get(path, { accept: `${MediaType.ociIndex}, */*` });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe(MediaType.ociIndex);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ manifests: [] });
  }
  const tag = attestation.digest.replace(':', '-');
  expect(asked()).toEqual([
    `GET /v2/acme/app/referrers/${attestation.digest}`,
    `GET /v2/acme/app/manifests/${tag}`,
  ]);
  // That this repository has no such API is known by now; whether there is such a tag is asked again.
  world.mirror.clock.advance(30_000);
  await dockerd.get(path);
  expect(asked().slice(2)).toEqual([`GET /v2/acme/app/manifests/${tag}`]);
});

test('a daemon that asks for the tag schema itself gets 404, and upstream is asked by HEAD and GET once', async () => {
  await using world = await startClientWorld({ registry: { referrers: false } });
  const { attestation } = putAttested(world);
  const dockerd = dockerdOf(world);
  const path = `/v2/acme/app/manifests/${attestation.digest.replace(':', '-')}?ns=docker.io`;
  for (let pulls = 0; pulls < 3; pulls += 1) {
    expect((await dockerd.head(path, { accept: ACCEPT })).status).toBe(404);
    expect((await dockerd.get(path, { accept: ACCEPT })).status).toBe(404);
  }
  expect(world.hub.requests.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
  expect(dockerd.connections).toBe(1);
});

test('many daemons that pull at the same moment look for attestations once', async () => {
  await using world = await startClientWorld();
  const { attestation } = putAttested(world);
  const path = `/v2/acme/app/referrers/${attestation.digest}?ns=docker.io`;
  const answers = await Promise.all(Array.from({ length: 40 }, () => dockerdOf(world).get(path)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(world.hub.requests).toHaveLength(1);
});

test('the daemon has no credentials for a mirror, so it is never asked for any, also where upstream asks for them', async () => {
  const auth = { kind: 'bearer', account: { username: 'bot', password: 'secret' } } as const;
  await using world = await startClientWorld({ registry: { auth } });
  putAttested(world);
  const dockerd = dockerdOf(world);
  const statuses = [];
  for (const path of [
    '/v2/',
    '/v2/acme/app/manifests/1?ns=docker.io',
    '/v2/acme/app/tags/list?ns=docker.io',
  ]) {
    const answer = await dockerd.get(path, { accept: ACCEPT });
    expect(answer.headers).not.toHaveProperty('www-authenticate');
    statuses.push(answer.status);
  }
  expect(statuses).toEqual([200, 404, 404]);
});
