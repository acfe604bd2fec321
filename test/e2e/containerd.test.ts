import { expect, inject, test } from 'vitest';
import { containerd } from '../support/e2e/containerd.ts';
import { dockerRegistry } from '../support/e2e/docker-registry.ts';
import { larder, type Larder } from '../support/e2e/larder.ts';
import { pullStory, type PullingClient } from '../support/e2e/pull-story.ts';
import { contentRequests, eachOnce, transfers } from '../support/e2e/upstream-requests.ts';

const { app, debian, storage } = inject('stock');
const byTag = 'docker.io/library/debian:bookworm';
const byDigest = `docker.io/library/debian@${debian.index.digest}`;
const digests = [
  debian.index,
  debian.amd64.manifest,
  debian.amd64.config,
  ...debian.amd64.layers.map((layer) => layer.descriptor),
].map((descriptor) => descriptor.digest);

async function containerdClient(mirror: Larder): Promise<PullingClient> {
  const engine = await containerd({ 'docker.io': mirror.url });
  return {
    pullByTag: async () => void (await engine.pull(byTag)),
    pullByDigest: async () => void (await engine.pull(byDigest)),
    async forget() {
      const names = (await engine.ctr('images', 'list', '--quiet')).trim().split('\n');
      await engine.ctr('images', 'remove', '--sync', ...names);
    },
    content: async () => engine.hashedContent(digests),
    [Symbol.asyncDispose]: async () => engine[Symbol.asyncDispose](),
  };
}

test('ctr images pull with a hosts.toml for docker.io', async () => {
  await using registry = await dockerRegistry({ stock: storage });
  const config = { upstreams: { 'docker.io': { url: registry.url } } };

  const story = await pullStory({ registry, config, client: containerdClient });

  expect(story.content).toEqual([digests, digests, digests, digests]);
  expect(transfers(story.cold)).toEqual(eachOnce(digests));
  expect(contentRequests(story.warmByTag)).toEqual([]);
  expect(contentRequests(story.warmByDigest)).toEqual([]);
  expect(contentRequests(story.afterTtl)).toEqual(['HEAD manifest bookworm']);
});

test('a second registry is told apart by ns, although it has the same repository', async () => {
  await using hub = await dockerRegistry({ stock: storage });
  await using second = await dockerRegistry({ stock: storage, auth: 'token' });
  const upstreams = {
    'docker.io': { url: hub.url },
    'registry.example.test': { url: second.url, credentials: second.account },
  };
  await using mirror = await larder({ upstreams });
  await using engine = await containerd({ 'registry.example.test': mirror.url });

  await engine.pull('registry.example.test/team/app:1');

  const pulled = [app.manifest, app.config, ...app.layers.map((layer) => layer.descriptor)];
  const expected = pulled.map((descriptor) => descriptor.digest);
  expect(await engine.hashedContent(expected)).toEqual(expected);
  expect(transfers(second.proxy.requests)).toEqual(eachOnce(expected));
  expect(hub.proxy.connections()).toBe(0);
});
