import { expect, inject, test } from 'vitest';
import { dockerRegistry } from '../support/e2e/docker-registry.ts';
import { larder, type Larder } from '../support/e2e/larder.ts';
import { podman } from '../support/e2e/podman.ts';
import { pullStory, type PullingClient } from '../support/e2e/pull-story.ts';
import { contentRequests, eachOnce, transfers } from '../support/e2e/upstream-requests.ts';

const { app, debian, storage } = inject('stock');
const byDigest = `docker.io/library/debian@${debian.index.digest}`;

/** `podman pull` as a user types it; podman reaches the mirror by registries.conf. */
async function podmanClient(mirror: Larder): Promise<PullingClient> {
  const engine = await podman({ 'docker.io': mirror.host });
  return {
    pullByTag: async () => void (await engine.podman('pull', '--quiet', 'debian:bookworm')),
    pullByDigest: async () => void (await engine.podman('pull', '--quiet', byDigest)),
    forget: async () => void (await engine.podman('rmi', '--all', '--force')),
    async content() {
      const id = (await engine.podman('images', '--no-trunc', '--quiet')).trim();
      return [id, ...(await engine.savedLayers(id))];
    },
    [Symbol.asyncDispose]: async () => engine[Symbol.asyncDispose](),
  };
}

test('podman pull debian:bookworm with a mirror in registries.conf', async () => {
  await using registry = await dockerRegistry({ stock: storage });
  const config = { upstreams: { 'docker.io': { url: registry.url } } };

  const story = await pullStory({ registry, config, client: podmanClient });

  const { config: imageConfig, layers, manifest } = debian.amd64;
  const image = [imageConfig.digest, ...layers.map((layer) => layer.diffId)];
  expect(story.content).toEqual([image, image, image, image]);
  const digests = [debian.index, manifest, imageConfig, ...layers.map((layer) => layer.descriptor)];
  expect(transfers(story.cold)).toEqual(eachOnce(digests.map((descriptor) => descriptor.digest)));
  expect(contentRequests(story.warmByTag)).toEqual([]);
  expect(contentRequests(story.warmByDigest)).toEqual([]);
  expect(contentRequests(story.afterTtl)).toEqual(['HEAD manifest bookworm']);
});

test('a second registry is told apart by a path in the mirror’s location', async () => {
  await using hub = await dockerRegistry({ stock: storage });
  await using second = await dockerRegistry({ stock: storage, auth: 'htpasswd' });
  const upstreams = {
    'docker.io': { url: hub.url },
    'registry.example.test': { url: second.url, credentials: second.account },
  };
  await using mirror = await larder({ upstreams });
  await using engine = await podman({ 'registry.example.test': `${mirror.host}/registry.example.test` });

  await engine.podman('pull', '--quiet', 'registry.example.test/team/app:1');

  expect(await engine.savedLayers('registry.example.test/team/app:1')).toEqual(
    app.layers.map((layer) => layer.diffId),
  );
  const pulled = [app.manifest, app.config, ...app.layers.map((layer) => layer.descriptor)];
  expect(transfers(second.proxy.requests)).toEqual(eachOnce(pulled.map((descriptor) => descriptor.digest)));
  expect(hub.proxy.connections()).toBe(0);
});
