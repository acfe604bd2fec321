/** Pods that pull through Larder as their own service accounts, by containerd's CRI and the credential provider. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  containerdMajor,
  criContainerd,
  crictlUnable,
  forPods,
  onAnyFileSystem,
} from '../support/e2e/cri-containerd.ts';
import { dockerRegistry } from '../support/e2e/docker-registry.ts';
import { changed, documented, placed } from '../support/e2e/documented.ts';
import { larder } from '../support/e2e/larder.ts';
import { pushPodImages } from '../support/e2e/pod-images.ts';
import { startPod } from '../support/e2e/pod.ts';
import { temporaryDirectory } from '../support/e2e/temporary.ts';

const HEADING = 'containerd, Kubernetes, nerdctl';
const unable = await crictlUnable();
if (unable !== undefined) console.log(`skipped, crictl cannot be had here: ${unable}`);

async function writeConfig(root: string, sandboxImage: string): Promise<string> {
  const major = await containerdMajor();
  const { path, text } = documented('README.md', HEADING, major === 1 ? 0 : 1);
  const own = changed(text, { '/etc/containerd': join(root, '/etc/containerd') });
  return placed(root, path, forPods(onAnyFileSystem(own, major), major, sandboxImage));
}

test('a pod runs an image that containerd pulled through Larder', async (context) => {
  context.skip(unable !== undefined, unable);
  await using root = await temporaryDirectory('pods');
  await using registry = await dockerRegistry();
  await pushPodImages(registry.directUrl, root.path, ['pause', 'acme/app']);
  await using mirror = await larder({ upstreams: { 'ghcr.io': { url: registry.url } } });
  const configFile = await writeConfig(root.path, `${registry.directHost}/pause:1`);
  await using engine = await criContainerd(root.path, configFile);
  const image = `${mirror.host}/ghcr.io/acme/app:1`;
  await engine.shell(`crictl pull ${image}`);
  await using pod = await startPod(engine, { directory: root.path, namespace: 'ci', image });
  await expect.poll(() => pod.output(), { timeout: 10_000 }).toBe('it runs\n');
});
