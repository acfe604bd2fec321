/** Images cross to a machine without a way to any registry in a file alone, and its clients pull them there. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { blobPath } from '../../src/archive/layout/paths.ts';
import { digestOf, type Digest } from '../../src/oci/digest.ts';
import { MediaType } from '../../src/oci/media-type.ts';
import { containerd } from '../support/e2e/containerd.ts';
import { dockerRegistry, type DockerRegistry } from '../support/e2e/docker-registry.ts';
import { ALONE, isolatedMachine, type IsolatedMachine } from '../support/e2e/isolated-machine.ts';
import { larder, larderCommand, type Larder } from '../support/e2e/larder.ts';
import { podman } from '../support/e2e/podman.ts';
import { run, type RunningProcess } from '../support/e2e/process.ts';
import { pusher } from '../support/e2e/push.ts';
import { whyNoRemoteHost } from '../support/e2e/remote-host.ts';
import { tarOf } from '../support/tar.ts';

const { app, artifact, debian, storage } = inject('stock');
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

describe.skipIf(missing !== undefined)('an index of two platforms', () => {
  const shared = new AsyncDisposableStack();
  let registry: DockerRegistry;
  let online: Larder;
  let offline: IsolatedMachine;
  let imported: string;
  let server: RunningProcess;

  const at = (name: string): string => join(offline.path, name);

  /** Pulls images from the registry by the Larder that is online, and writes them into a file of the other machine. */
  async function exportTo(name: string, ...args: readonly string[]): Promise<void> {
    const exit = await larderCommand(['export', '--config', online.configFile, '-o', at(name), ...args]);
    if (exit.code !== 0) throw new Error(exit.stderr);
  }

  /** Pushes the image `team/app:next`: the layers of the present one, and a small one. @returns its digests */
  async function pushNext(): Promise<Readonly<Record<'manifest' | 'config' | 'layer', Digest>>> {
    const push = pusher(registry.directUrl, 'team/app');
    const tar = tarOf([{ path: 'etc/next', bytes: 'next' }]);
    const layer = await push.blob(gzipSync(tar), 'application/vnd.oci.image.layer.v1.tar+gzip');
    const rootfs = { type: 'layers', diff_ids: [...app.layers.map(({ diffId }) => diffId), digestOf(tar)] };
    const text = JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs });
    const config = await push.blob(Buffer.from(text), 'application/vnd.oci.image.config.v1+json');
    const layers = [...app.layers.map(({ descriptor }) => descriptor), layer];
    const mediaType = MediaType.ociManifest;
    const document = JSON.stringify({ schemaVersion: 2, mediaType, config, layers });
    const manifest = await push.manifest(document, mediaType, 'next');
    return { manifest: manifest.digest, config: config.digest, layer: layer.digest };
  }

  beforeAll(async () => {
    registry = shared.use(await dockerRegistry({ stock: storage }));
    online = shared.use(await larder({ upstreams: { 'docker.io': { url: registry.url } } }));
    offline = shared.use(await isolatedMachine({ offline: true }));
    await online.stop();
    await exportTo(
      'bundle.tar',
      'debian:bookworm',
      'team/app:1',
      '--referrers',
      '--inventory',
      at('there.json'),
    );
    server = shared.use(await offline.serve());
    imported = await offline.larder('import', '--json', at('bundle.tar'));
  });

  afterAll(async () => shared.disposeAsync());

  test('is imported whole, with what is about it', async () => {
    const digests = [debian.index, artifact, app.manifest].map(({ digest }) => ({ digest }));
    expect(JSON.parse(imported)).toMatchObject([{ images: digests, refused: [] }]);
    const path = `v2/library/debian/referrers/${debian.index.digest}`;
    const { manifests } = JSON.parse(await offline.run('curl', ['-fs', `http://${ALONE}/${path}`])) as {
      readonly manifests: readonly object[];
    };
    expect(manifests).toMatchObject([{ digest: artifact.digest, artifactType: artifact.artifactType }]);
  });

  test('has no way back to where it came from', async () => {
    await expect(offline.run('curl', ['-sS', `${registry.url}/v2/`])).rejects.toThrow(/connect/i);
    expect(await offline.run('ip', ['route'])).toBe('');
  });

  test('is pulled by docker, by tag and by digest', async () => {
    await using engine = await offline.dockerd();
    await engine.docker('pull', '--quiet', 'debian:bookworm');
    const id = await engine.docker('images', '--no-trunc', '--quiet');
    expect(id.trim()).toBe(debian.amd64.config.digest);
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
    const id = await engine.podman('images', '--no-trunc', '--quiet');
    expect(id.trim()).toBe(debian.amd64.config.digest);
    await engine.podman('pull', '--quiet', DIGEST);
    expect(await engine.podman('images', '--digests', '--format', '{{.Digest}}')).toContain(
      debian.index.digest,
    );
  });

  test('is served without a question to any upstream', () => {
    expect(server.stdout()).not.toContain('upstream-request');
    expect(server.hasExited()).toBe(false);
  });

  test('beside another image, which needs only its new layer to become the next one', async () => {
    const next = await pushNext();
    await exportTo('next.tar', 'team/app:next', '--since', at('there.json'));
    const paths = (await run('tar', ['-tf', at('next.tar')])).trim().split('\n');
    const blobs = Object.values(next).map(blobPath);
    expect(paths.filter((path) => path.startsWith('blobs/')).toSorted()).toEqual(blobs.toSorted());

    const result = JSON.parse(await offline.larder('import', '--json', at('next.tar'))) as object;
    expect(result).toMatchObject([{ images: [{ digest: next.manifest }], refused: [], blobs: 3 }]);
    await using engine = await containerd({ 'docker.io': `http://${ALONE}` }, { run: offline.run });
    await engine.pull('docker.io/team/app:next');
    const digests = [
      next.manifest,
      next.config,
      ...app.layers.map(({ descriptor }) => descriptor.digest),
      next.layer,
    ];
    expect(await engine.hashedContent(digests)).toEqual(digests);
  });
});
