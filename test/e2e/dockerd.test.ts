import { expect, inject, test } from 'vitest';
import { dockerRegistry } from '../support/e2e/docker-registry.ts';
import { dockerd } from '../support/e2e/dockerd.ts';
import type { Larder } from '../support/e2e/larder.ts';
import { pullStory, type PullingClient } from '../support/e2e/pull-story.ts';
import { contentRequests, eachOnce, transfers } from '../support/e2e/upstream-requests.ts';

const { debian, storage } = inject('stock');
const byDigest = `debian@${debian.index.digest}`;

/** `docker pull` as a user types it; Docker reaches the mirror by `registry-mirrors`. */
async function dockerClient(mirror: Larder): Promise<PullingClient> {
  const engine = await dockerd(mirror.url);
  return {
    pullByTag: async () => void (await engine.docker('pull', 'debian:bookworm')),
    pullByDigest: async () => void (await engine.docker('pull', byDigest)),
    forget: async () => void (await engine.docker('image', 'prune', '--all', '--force')),
    async content() {
      const id = await engine.docker('images', '--no-trunc', '--quiet');
      return [id.trim(), ...(await engine.savedLayers(id.trim()))];
    },
    [Symbol.asyncDispose]: async () => engine[Symbol.asyncDispose](),
  };
}

test('docker pull debian:bookworm through registry-mirrors', async () => {
  await using registry = await dockerRegistry({ stock: storage });
  const config = { upstreams: { 'docker.io': { url: registry.url } } };

  const story = await pullStory({ registry, config, client: dockerClient });

  const { config: imageConfig, layers, manifest } = debian.amd64;
  const image = [imageConfig.digest, ...layers.map((layer) => layer.diffId)];
  expect(story.content).toEqual([image, image, image, image]);
  const digests = [debian.index, manifest, imageConfig, ...layers.map((layer) => layer.descriptor)];
  expect(transfers(story.cold)).toEqual(eachOnce(digests.map((descriptor) => descriptor.digest)));
  expect(contentRequests(story.warmByTag)).toEqual([]);
  expect(contentRequests(story.warmByDigest)).toEqual([]);
  expect(contentRequests(story.afterTtl)).toEqual(['HEAD manifest bookworm']);
});
