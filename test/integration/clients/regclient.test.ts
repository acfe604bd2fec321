/**
 * regclient (regctl, regsync, regbot): names Docker Hub by its API's host in `ns`, resumes with an end one byte
 * beyond the last, and looks at tags by HEAD again and again.
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
import { MINUTE } from '../../support/mirror-fixture.ts';
import { instead, status } from '../../support/scripted-reply.ts';

const MiB = 1024 * 1024;

const ACCEPT = [
  MediaType.ociIndex,
  MediaType.ociManifest,
  MediaType.dockerList,
  MediaType.dockerManifest,
  MediaType.ociArtifact,
];

const NS = '?ns=registry-1.docker.io';

function regctlOf(world: ClientWorld): WireClient {
  return world.client({ 'user-agent': 'regclient/regctl (v0.8.3)', 'accept-encoding': 'gzip' });
}

describe('the namespace', () => {
  test.each(['registry-1.docker.io', 'index.docker.io', 'docker.io'])(
    '%s is Docker Hub, and is confirmed as it was said',
    async (ns) => {
      await using world = await startClientWorld({ names: ['ghcr.io', 'docker.io'] });
      const image = world.hub.putImage('library/debian', '12');
      const path = `/v2/library/debian/manifests/12?ns=${ns}`;
      const answer = await regctlOf(world).get(path, { accept: ACCEPT });
      expect(identityOf(answer)).toEqual(wholeOf(image.descriptor));
      expect(answer.headers['oci-namespace']).toBe(ns);
    },
  );

  test('whichever name is used, with a prefix or without, it is one image in the cache', async () => {
    await using world = await startClientWorld();
    const image = world.hub.putImage('library/debian', '12');
    const regctl = regctlOf(world);
    for (const path of [
      `/v2/library/debian/manifests/12${NS}`,
      '/v2/library/debian/manifests/12?ns=docker.io',
      `/v2/docker.io/library/debian/manifests/12${NS}`,
      `/v2/registry-1.docker.io/library/debian/manifests/12${NS}`,
    ]) {
      expect(identityOf(await regctl.get(path, { accept: ACCEPT }))).toEqual(wholeOf(image.descriptor));
    }
    expect(world.hub.requests).toHaveLength(2);
  });
});

describe('looking at a tag by HEAD', () => {
  const path = `/v2/library/debian/manifests/12${NS}`;

  test('as often as you like costs a HEAD for each time to live and never a pull, also when the tag moves', async () => {
    await using world = await startClientWorld();
    const regsync = regctlOf(world);
    for (let day = 0; day < 3; day += 1) {
      const image = world.hub.putImage('library/debian', '12', { config: { day } });
      for (let i = 0; i < 3; i += 1) {
        const { headers } = await regsync.head(path, { accept: ACCEPT });
        expect(headers).toMatchObject({
          'docker-content-digest': image.digest,
          'content-type': MediaType.ociManifest,
          'content-length': String(image.bytes.length),
        });
      }
      world.mirror.clock.advance(5 * MINUTE);
    }
    expect(requestsOf(world.hub)).toEqual(Array(3).fill('HEAD /v2/library/debian/manifests/12'));
  });

  test('of an image that is in use takes the new manifest in, since the old one is served until it is here', async () => {
    await using world = await startClientWorld();
    world.hub.putImage('library/debian', '12');
    const regsync = regctlOf(world);
    await regsync.get(path, { accept: ACCEPT });
    const moved = world.hub.putImage('library/debian', '12', { config: { day: 2 } });
    world.mirror.clock.advance(5 * MINUTE);
    const head = await regsync.head(path, { accept: ACCEPT });
    expect(head.headers['docker-content-digest']).toBe(moved.digest);
    expect(requestsOf(world.hub).at(-1)).toBe(`GET /v2/library/debian/manifests/${moved.digest}`);
  });

  test('tells what is here rather than what upstream’s HEAD claims', async () => {
    await using world = await startClientWorld();
    const image = world.hub.putImage('library/debian', '12');
    world.hub.fault({ kind: 'manifest', method: 'HEAD' }, (reply) => ({
      ...reply,
      headers: { ...reply.headers, 'content-length': '7' },
    }));
    const regctl = regctlOf(world);
    await regctl.get(path, { accept: ACCEPT });
    const { headers } = await regctl.head(path, { accept: ACCEPT });
    expect(headers['content-length']).toBe(String(image.bytes.length));
  });
});

describe('the resume of a blob', () => {
  test.each(['cold', 'warm'])(
    'to one byte beyond its last one is cut to what there is, %s, and says so',
    async (temperature) => {
      await using world = await startClientWorld();
      const { digest, size } = world.hub.putBlob('library/debian', randomBytes(2 * MiB));
      const regctl = regctlOf(world);
      const path = `/v2/library/debian/blobs/${digest}${NS}`;
      if (temperature === 'warm') await regctl.get(path);
      const start = await readThenLeave(await regctl.open(path), MiB);
      const rest = await regctl.get(path, { range: `bytes=${start.length}-${size}` });
      expect(rest.status).toBe(206);
      expect(rest.headers['content-range']).toBe(`bytes ${start.length}-${size - 1}/${size}`);
      expect(rest.headers['content-length']).toBe(String(size - start.length));
      expect(digestOf(Buffer.concat([start, rest.body]))).toBe(digest);
      expect(world.hub.requests).toHaveLength(1);
    },
  );

  test('behind its end is 416, upon which regclient leaves this host for the request', async () => {
    await using world = await startClientWorld();
    const { digest, size } = world.hub.putBlob('library/debian', randomBytes(1000));
    const path = `/v2/library/debian/blobs/${digest}${NS}`;
    const answer = await regctlOf(world).get(path, { range: `bytes=${size}-${size}` });
    expect([answer.status, answer.headers['content-range']]).toEqual([416, `bytes */${size}`]);
    expect(answer.headers['oci-namespace']).toBe('registry-1.docker.io');
  });
});

describe('a failure', () => {
  test.each([
    [404, 404],
    [500, 502],
    [503, 502],
  ])(
    'upstream’s %i is %i here, with a reason in JSON: 404 alone means that there is none',
    async (...codes) => {
      const [upstream, here] = codes;
      await using world = await startClientWorld();
      world.hub.fault({}, instead(status(upstream)));
      const answer = await regctlOf(world).get(`/v2/library/debian/manifests/12${NS}`, { accept: ACCEPT });
      expect(answer.status).toBe(here);
      expect(answer.headers['content-type']).toBe('application/json');
      expect(JSON.parse(answer.body.toString())).toMatchObject({
        errors: [{ message: expect.any(String) as string }],
      });
    },
  );
});

test('referrers are listed with ns, and found by the tag schema where upstream has no API for them', async () => {
  await using world = await startClientWorld({ registry: { referrers: false } });
  const image = world.hub.putImage('library/debian', '12');
  const artifactType = 'application/spdx+json';
  const sbom = world.hub.putImage('library/debian', undefined, { subject: image.descriptor, artifactType });
  const tag = image.digest.replace(':', '-');
  world.hub.putIndex('library/debian', tag, [{ ...sbom.descriptor, artifactType }]);
  const answer = await regctlOf(world).get(`/v2/library/debian/referrers/${image.digest}${NS}`);
  expect(answer.headers['content-type']).toBe(MediaType.ociIndex);
  expect(JSON.parse(answer.body.toString())).toMatchObject({
    manifests: [{ digest: sbom.digest, size: sbom.descriptor.size, artifactType }],
  });
});
