import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { MediaType } from '../../src/oci/media-type.ts';
import { dockerRegistry } from '../support/e2e/docker-registry.ts';
import { estargz } from '../support/e2e/estargz.ts';
import { incompressible } from '../support/e2e/image.ts';
import { larder, type Larder } from '../support/e2e/larder.ts';
import { podman, type Podman } from '../support/e2e/podman.ts';
import { pusher } from '../support/e2e/push.ts';

const FILES = 40;
const FILE_BYTES = 256 * 1024;
/** Two that are neighbours, and two that are not. */
const CHANGED = [7, 8, 20, 33];

type Files = ReadonlyMap<string, Buffer>;

function filesOf(version: number): Files {
  return new Map(
    Array.from({ length: FILES }, (_, at) => {
      const seed = CHANGED.includes(at) ? `${at} of ${version}` : `${at}`;
      return [`file${String(at).padStart(2, '0')}`, incompressible(FILE_BYTES, seed)];
    }),
  );
}

/** Pushes an image whose one layer has the files; resolves with the layer's size, bytes. */
async function push(registryUrl: string, tag: string, files: Files): Promise<number> {
  const repository = pusher(registryUrl, 'team/parts');
  const { bytes, diffId, annotations } = estargz(files);
  const rootfs = { type: 'layers', diff_ids: [diffId] };
  const config = JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs });
  const layer = await repository.blob(bytes, 'application/vnd.oci.image.layer.v1.tar+gzip');
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: await repository.blob(Buffer.from(config), 'application/vnd.oci.image.config.v1+json'),
    layers: [{ ...layer, annotations }],
  };
  await repository.manifest(JSON.stringify(manifest), MediaType.ociManifest, tag);
  return bytes.length;
}

/** The digests of the image's files as podman has them. */
async function filesIn(engine: Podman, image: string): Promise<readonly string[]> {
  const root = (await engine.podman('image', 'mount', image)).trim();
  const names = [...filesOf(1).keys()];
  const found = await Promise.all(names.map(async (name) => digestOf(await readFile(join(root, name)))));
  await engine.podman('image', 'unmount', image);
  return found;
}

async function bytesToClients(mirror: Larder): Promise<number> {
  const labels = '{kind="blob",upstream="docker.io"}';
  return (await mirror.metrics()).get(`larder_client_bytes_total${labels}`) ?? 0;
}

test.each(['cold', 'warm'])(
  'podman pulls of a %s layer what has changed since the last one',
  async (temperature) => {
    await using registry = await dockerRegistry();
    await push(registry.directUrl, '1', filesOf(1));
    const size = await push(registry.directUrl, '2', filesOf(2));
    await using mirror = await larder({ upstreams: { 'docker.io': { url: registry.url } } });
    if (temperature === 'warm') {
      await using other = await podman({ 'docker.io': mirror.host });
      await other.podman('pull', '--quiet', 'docker.io/team/parts:2');
    }
    await using engine = await podman({ 'docker.io': mirror.host }, { pullsParts: true });
    await engine.podman('pull', '--quiet', 'docker.io/team/parts:1');
    const before = await bytesToClients(mirror);
    registry.proxy.clear();

    await engine.podman('pull', '--quiet', 'docker.io/team/parts:2');

    const changed = CHANGED.length * FILE_BYTES;
    const sent = (await bytesToClients(mirror)) - before;
    expect(sent).toBeGreaterThan(changed);
    expect(sent).toBeLessThan(1.1 * changed);
    const upstream = registry.proxy.requests.filter(({ kind }) => kind === 'blob');
    const received = upstream.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(received).toBeLessThan(temperature === 'warm' ? 1 : 1.25 * size + 1000);
    expect(await filesIn(engine, 'docker.io/team/parts:2')).toEqual(
      [...filesOf(2).values()].map((content) => digestOf(content)),
    );
  },
);
