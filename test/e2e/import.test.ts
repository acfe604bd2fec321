/** Imports that are killed, and what other programs write. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { MediaType } from '../../src/oci/media-type.ts';
import { blobPath } from '../../src/archive/layout/paths.ts';
import { dockerd } from '../support/e2e/dockerd.ts';
import { dockerRegistry } from '../support/e2e/docker-registry.ts';
import { ask } from '../support/e2e/http-client.ts';
import { incompressible } from '../support/e2e/image.ts';
import { goTool } from '../support/e2e/go-tool.ts';
import { larder, larderCommand, type Larder } from '../support/e2e/larder.ts';
import { podman } from '../support/e2e/podman.ts';
import { run, startProcess } from '../support/e2e/process.ts';
import { temporaryDirectory } from '../support/e2e/temporary.ts';
import { until } from '../support/e2e/until.ts';
import { tarOf } from '../support/tar.ts';

const { app, storage } = inject('stock');
const MIB = 2 ** 20;
const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');
const NAME = 'docker.io/library/app:1';

/** A cache that no server has open, with its configuration. */
async function closedCache(directory: string): Promise<Larder> {
  const server = await larder({ offline: true }, { cacheDirectory: join(directory, 'cache') });
  await server.stop();
  return server;
}

interface Imported {
  readonly images: readonly { readonly name: string; readonly digest: string }[];
  readonly refused: readonly object[];
  readonly blobs: number;
  readonly added: number;
}

async function importInto({ configFile }: Larder, ...args: readonly string[]): Promise<Imported> {
  const { stdout, stderr } = await larderCommand(['import', '--json', '--config', configFile, ...args]);
  if (stdout === '') throw new Error(stderr);
  return (JSON.parse(stdout) as [Imported])[0];
}

/** Writes a layout with an image of layers of 16 MiB. */
async function largeBundle(path: string, layers: number): Promise<string> {
  const contents = Array.from({ length: layers }, (_, i) => incompressible(16 * MIB, `layer ${i}`));
  const config = Buffer.from('{}');
  const describe = (bytes: Buffer, mediaType: string): object => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      config: describe(config, 'application/vnd.oci.image.config.v1+json'),
      layers: contents.map((bytes) => describe(bytes, 'application/vnd.oci.image.layer.v1.tar')),
    }),
  );
  const annotations = { 'org.opencontainers.image.ref.name': NAME };
  const root = { ...describe(manifest, MediaType.ociManifest), annotations };
  const blobs = [...contents, config, manifest].map((bytes) => ({ path: blobPath(digestOf(bytes)), bytes }));
  const index = { path: 'index.json', bytes: JSON.stringify({ schemaVersion: 2, manifests: [root] }) };
  await writeFile(path, tarOf([...blobs, index]));
  return digestOf(manifest);
}

test('an import that is killed goes on when it is started again', async () => {
  await using directory = await temporaryDirectory('killed');
  await using cache = await closedCache(directory.path);
  const bundle = join(directory.path, 'bundle.tar');
  const digest = await largeBundle(bundle, 20);
  const stored = (): Promise<readonly string[]> => readdir(join(cache.cacheDirectory, 'blobs/sha256'));

  const args = ['import', '--config', cache.configFile, bundle];
  await using first = startProcess(process.execPath, [MAIN, ...args]);
  await until('some blobs are stored', async () => ((await stored()).length >= 3 ? true : undefined));
  first.kill('SIGKILL');
  await first.exited;
  const left = (await stored()).length;
  expect(left).toBeLessThan(22);

  const second = await importInto(cache, bundle);
  expect(second).toMatchObject({ images: [{ name: NAME, digest }], refused: [], blobs: 22 });
  expect(second.added).toBeLessThanOrEqual(22 - left + 1);
  await using server = await larder({ offline: true }, { cacheDirectory: cache.cacheDirectory });
  const answer = await ask(`${server.url}/v2/library/app/manifests/1`);
  expect([answer.status, answer.headers['docker-content-digest']]).toEqual([200, digest]);
});

test('what skopeo, podman and docker save write is imported', async () => {
  await using registry = await dockerRegistry({ stock: storage });
  await using directory = await temporaryDirectory('written');
  await using cache = await closedCache(directory.path);
  const at = (name: string): string => join(directory.path, name);
  const source = `docker://${registry.directHost}/team/app:1`;
  const copy = ['copy', '--quiet', '--preserve-digests', '--src-tls-verify=false', source];
  await run('skopeo', [...copy, `oci-archive:${at('oci.tar')}:docker.io/team/app:oci-archive`]);
  await run('skopeo', [...copy, `oci:${at('oci')}:directory`]);
  await run('skopeo', [...copy, `dir:${at('dir')}`]);
  const plain = copy.filter((option) => option !== '--preserve-digests');
  await run('skopeo', [...plain, `docker-archive:${at('docker.tar')}:docker.io/team/app:docker-archive`]);
  await using engine = await podman({ 'docker.io': registry.directHost });
  await engine.podman('pull', '--quiet', 'docker.io/team/app:1');
  await engine.podman('save', '--quiet', '--output', at('podman.tar'), 'docker.io/team/app:1');
  await run('zstd', ['-q', at('oci.tar')]).catch(() => run('cp', [at('oci.tar'), at('oci.tar.zst')]));

  const same = [
    [at('oci.tar')],
    [at('oci.tar.zst')],
    ['--as', 'docker.io/team/app', at('oci')],
    ['--as', 'docker.io/team/app:dir', at('dir')],
  ];
  for (const args of same) {
    const { images, refused } = await importInto(cache, ...args);
    expect([refused, images[0]?.digest]).toEqual([[], app.manifest.digest]);
  }
  await using docker = await dockerd('http://127.0.0.1:1');
  await docker.docker('load', '--input', at('docker.tar'));
  await docker.docker('tag', 'team/app:docker-archive', 'team/app:docker-save');
  await docker.docker('save', '--output', at('saved.tar'), 'team/app:docker-save');
  for (const name of ['docker.tar', 'podman.tar', 'saved.tar']) {
    const { images, refused } = await importInto(cache, at(name));
    expect([name, refused, images.length]).toEqual([name, [], 1]);
  }

  await using server = await larder({ offline: true }, { cacheDirectory: cache.cacheDirectory });
  await using client = await podman({ 'docker.io': server.host });
  for (const tag of ['docker-archive', 'docker-save', 'directory', 'dir', '1']) {
    await client.podman('pull', '--quiet', `docker.io/team/app:${tag}`);
    expect(await client.savedLayers(`docker.io/team/app:${tag}`)).toEqual(
      app.layers.map(({ diffId }) => diffId),
    );
  }
});

const CRANE = goTool('crane', 'github.com/google/go-containerregistry/cmd/crane', 'v0.20.6');
const craneUnable = await CRANE.install();
if (craneUnable !== undefined) console.log(`skipped, crane cannot be had here: ${craneUnable}`);

test.skipIf(craneUnable !== undefined)('what crane pull writes is imported', async () => {
  await using registry = await dockerRegistry({ stock: storage });
  await using directory = await temporaryDirectory('crane');
  await using cache = await closedCache(directory.path);
  const at = (name: string): string => join(directory.path, name);
  const source = `${registry.directHost}/team/app:1`;
  await run(CRANE.path, ['pull', '--insecure', '--format=oci', source, at('oci')]);
  await run(CRANE.path, ['pull', '--insecure', source, at('pulled.tar')]);

  const asImage = await importInto(cache, '--as', 'docker.io/team/app:1', at('oci'));
  expect([asImage.refused, asImage.images[0]?.digest]).toEqual([[], app.manifest.digest]);
  const { images, refused, added } = await importInto(
    cache,
    '--as',
    'docker.io/team/app:2',
    at('pulled.tar'),
  );
  expect([refused, images.length, added]).toEqual([[], 1, 1]);
});
