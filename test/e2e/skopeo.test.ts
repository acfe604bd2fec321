import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { dockerRegistry, type RegistryAuth } from '../support/e2e/docker-registry.ts';
import { hashedFiles } from '../support/e2e/hash.ts';
import { larder, type Larder } from '../support/e2e/larder.ts';
import { run } from '../support/e2e/process.ts';
import { pullStory, type PullingClient } from '../support/e2e/pull-story.ts';
import { temporaryDirectory } from '../support/e2e/temporary.ts';
import { contentRequests, eachOnce, transfers } from '../support/e2e/upstream-requests.ts';

const { app, debian, storage } = inject('stock');

/** `skopeo copy` into an OCI layout; gives the digests of the blobs in it. */
async function copy(source: string, ...args: string[]): Promise<readonly string[]> {
  await using target = await temporaryDirectory('skopeo');
  const options = ['--quiet', '--src-tls-verify=false', '--preserve-digests', ...args];
  await run('skopeo', ['copy', ...options, `docker://${source}`, `oci:${join(target.path, 'layout')}`]);
  return await hashedFiles(join(target.path, 'layout/blobs/sha256'));
}

async function skopeoClient(mirror: Larder): Promise<PullingClient> {
  let pulled: readonly string[] = [];
  const pull = async (reference: string): Promise<void> => {
    pulled = await copy(`${mirror.host}/library/debian${reference}`, '--all');
  };
  return {
    pullByTag: async () => pull(':bookworm'),
    pullByDigest: async () => pull(`@${debian.index.digest}`),
    async forget() {
      pulled = [];
    },
    content: async () => pulled,
    async [Symbol.asyncDispose]() {},
  };
}

test('skopeo copy of an index with both its platforms', async () => {
  await using registry = await dockerRegistry({ stock: storage });
  const config = { upstreams: { 'docker.io': { url: registry.url } } };

  const story = await pullStory({ registry, config, client: skopeoClient });

  const images = [debian.amd64, debian.arm64];
  const descriptors = [
    debian.index,
    ...images.flatMap((image) => [image.manifest, image.config, ...image.layers.map((l) => l.descriptor)]),
  ];
  const digests = [...new Set(descriptors.map((descriptor) => descriptor.digest))].sort();
  expect(story.content).toEqual([digests, digests, digests, digests]);
  expect(transfers(story.cold)).toEqual(eachOnce(digests));
  expect(contentRequests(story.warmByTag)).toEqual([]);
  expect(contentRequests(story.warmByDigest)).toEqual([]);
  expect(contentRequests(story.afterTtl)).toEqual(['HEAD manifest bookworm']);
});

describe.each<RegistryAuth>(['open', 'htpasswd', 'token'])('from a registry with %s access', (auth) => {
  const digests = [app.manifest, app.config, ...app.layers.map((layer) => layer.descriptor)]
    .map((descriptor) => descriptor.digest)
    .sort();

  test('skopeo copy', async () => {
    await using registry = await dockerRegistry({ stock: storage, auth });
    const upstream = { url: registry.url, ...(registry.account && { credentials: registry.account }) };
    await using mirror = await larder({ upstreams: { 'registry.example.test': upstream } });
    const source = `${mirror.host}/registry.example.test/team/app:1`;

    expect(await copy(source)).toEqual(digests);
    expect(transfers(registry.proxy.requests)).toEqual(eachOnce(digests));
    registry.proxy.clear();
    expect(await copy(source)).toEqual(digests);
    expect(contentRequests(registry.proxy.requests)).toEqual([]);
  });

  test('skopeo inspect', async () => {
    await using registry = await dockerRegistry({ stock: storage, auth });
    const upstream = { url: registry.url, ...(registry.account && { credentials: registry.account }) };
    await using mirror = await larder({ upstreams: { 'registry.example.test': upstream } });
    const source = `docker://${mirror.host}/registry.example.test/team/app:1`;

    const inspected = JSON.parse(await run('skopeo', ['inspect', '--tls-verify=false', source])) as unknown;

    expect(inspected).toMatchObject({
      Digest: app.manifest.digest,
      RepoTags: ['1'],
      Layers: app.layers.map((layer) => layer.descriptor.digest),
    });
  });
});

test('one token serves a whole pull', async () => {
  await using registry = await dockerRegistry({ stock: storage, auth: 'token' });
  const upstream = { url: registry.url, credentials: registry.account };
  await using mirror = await larder({ upstreams: { 'registry.example.test': upstream } });

  await copy(`${mirror.host}/registry.example.test/team/app:1`);

  expect(registry.tokens?.granted).toEqual(['repository:team/app:pull']);
});

test('without the credentials, what a closed registry has is absent and the client is not asked for any', async () => {
  await using registry = await dockerRegistry({ stock: storage, auth: 'htpasswd' });
  await using mirror = await larder({ upstreams: { 'registry.example.test': { url: registry.url } } });

  const pull = copy(`${mirror.host}/registry.example.test/team/app:1`);

  await expect(pull).rejects.toThrow(/manifest unknown|name unknown|denied|StatusCode: 40[34]/i);
});
