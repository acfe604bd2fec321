/** Images cross to a machine without a way to any registry in a file alone, and its clients pull them there. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { containerd } from '../support/e2e/containerd.ts';
import { dockerRegistry, type DockerRegistry } from '../support/e2e/docker-registry.ts';
import { ALONE, isolatedMachine, type IsolatedMachine } from '../support/e2e/isolated-machine.ts';
import { larder, type Larder } from '../support/e2e/larder.ts';
import { podman } from '../support/e2e/podman.ts';
import { run, type RunningProcess } from '../support/e2e/process.ts';
import { whyNoRemoteHost } from '../support/e2e/remote-host.ts';

const { debian, storage } = inject('stock');
const missing = await whyNoRemoteHost();
if (missing !== undefined)
  console.log(`air-gap: skipped, since no network namespace can be made (${missing})`);

const TAG = 'docker.io/library/debian:bookworm';
const DIGEST = `docker.io/library/debian@${debian.index.digest}`;
const AMD64 = [
  debian.index,
  debian.amd64.manifest,
  debian.amd64.config,
  ...debian.amd64.layers.map(({ descriptor }) => descriptor),
].map(({ digest }) => digest);
const ARM64 = [
  debian.arm64.manifest,
  debian.arm64.config,
  ...debian.arm64.layers.map(({ descriptor }) => descriptor),
].map(({ digest }) => digest);
const DIFF_IDS = debian.amd64.layers.map(({ diffId }) => diffId);

describe.skipIf(missing !== undefined)('an index of two platforms', () => {
  const shared = new AsyncDisposableStack();
  let registry: DockerRegistry;
  let online: Larder;
  let offline: IsolatedMachine;
  let imported: string;
  let server: RunningProcess;

  beforeAll(async () => {
    registry = shared.use(await dockerRegistry({ stock: storage }));
    online = shared.use(await larder({ upstreams: { 'docker.io': { url: registry.url } } }));
    offline = shared.use(await isolatedMachine({ offline: true }));
    const bundle = join(offline.path, 'bundle.tar');
    const copy = ['copy', '--quiet', '--all', '--preserve-digests', '--src-tls-verify=false'];
    await run('skopeo', [
      ...copy,
      `docker://${online.host}/library/debian:bookworm`,
      `oci-archive:${bundle}:${TAG}`,
    ]);
    await (await offline.serve()).stop();
    imported = await offline.larder('import', '--json', bundle);
    server = shared.use(await offline.serve());
  });

  afterAll(async () => shared.disposeAsync());

  test('is imported whole', () => {
    const image = { name: TAG, digest: debian.index.digest };
    expect(JSON.parse(imported)).toMatchObject([{ images: [image], refused: [] }]);
  });

  test('has no way back to where it came from', async () => {
    for (const { url } of [registry, online]) {
      await expect(offline.run('curl', ['-sS', `${url}/v2/`])).rejects.toThrow(/connect/i);
    }
    expect(await offline.run('ip', ['route'])).toBe('');
  });

  test('is pulled by docker, by tag and by digest', async () => {
    await using engine = await offline.dockerd();
    await engine.docker('pull', '--quiet', 'debian:bookworm');
    expect(await engine.savedLayers('debian:bookworm')).toEqual(DIFF_IDS);
    await engine.docker('pull', '--quiet', DIGEST);
    expect(await engine.docker('images', '--digests', '--format', '{{.Digest}}')).toContain(
      debian.index.digest,
    );
  });

  test('is pulled by containerd, by tag and by digest, for both platforms', async () => {
    await using engine = await containerd({ 'docker.io': `http://${ALONE}` }, { run: offline.run });
    await engine.pull(TAG);
    await engine.pull(DIGEST);
    await engine.pull(TAG, '--platform', 'linux/arm64');
    expect(await engine.hashedContent([...AMD64, ...ARM64])).toEqual([...AMD64, ...ARM64]);
  });

  test('is pulled by podman, by tag and by digest', async () => {
    await using engine = await podman({ 'docker.io': ALONE }, { run: offline.run });
    await engine.podman('pull', '--quiet', 'debian:bookworm');
    expect(await engine.savedLayers('debian:bookworm')).toEqual(DIFF_IDS);
    await engine.podman('pull', '--quiet', DIGEST);
    expect(await engine.podman('images', '--digests', '--format', '{{.Digest}}')).toContain(
      debian.index.digest,
    );
  });

  test('is served without a question to any upstream', () => {
    expect(server.stdout()).not.toContain('upstream-request');
    expect(server.hasExited()).toBe(false);
  });
});
