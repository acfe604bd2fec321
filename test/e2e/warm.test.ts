import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WarmResult } from '../../src/api/contract/kinds/warm.ts';
import { MediaType } from '../../src/oci/media-type.ts';
import { dockerRegistry, type DockerRegistry } from '../support/e2e/docker-registry.ts';
import { ask } from '../support/e2e/http-client.ts';
import { incompressible } from '../support/e2e/image.ts';
import { larder, larderCommand, type Larder } from '../support/e2e/larder.ts';
import { startProcess } from '../support/e2e/process.ts';
import { pusher } from '../support/e2e/push.ts';
import { temporaryDirectory } from '../support/e2e/temporary.ts';
import { until } from '../support/e2e/until.ts';

const IMAGES = 20;
const MIB = 1024 * 1024;
const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

let registry: DockerRegistry;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let list: string;

/** Pushes an image with a layer of its own and one that all images have. */
async function push(repository: string): Promise<void> {
  const to = pusher(registry.directUrl, repository);
  const layers = [incompressible(MIB, 'shared'), incompressible(MIB / 2, repository)];
  const pushed = await Promise.all(
    layers.map((layer) => to.blob(layer, 'application/vnd.oci.image.layer.v1.tar')),
  );
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [] },
    repository,
  });
  const document = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: await to.blob(Buffer.from(config), 'application/vnd.oci.image.config.v1+json'),
    layers: pushed,
  };
  await to.manifest(JSON.stringify(document), MediaType.ociManifest, '1');
}

beforeAll(async () => {
  directory = await temporaryDirectory('warm');
  registry = await dockerRegistry();
  const names = Array.from({ length: IMAGES }, (_, n) => `team/app-${n}`);
  for (const name of names) await push(name);
  list = join(directory.path, 'list.txt');
  await writeFile(list, names.map((name) => `${name}:1\n`).join(''));
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

/** How often each blob was fetched with its bytes. */
function fetches(): ReadonlyMap<string, number> {
  const blobs = registry.proxy.requests.filter(
    ({ kind, method, status }) => kind === 'blob' && method === 'GET' && status === 200,
  );
  return new Map(
    [...Map.groupBy(blobs, ({ reference }) => reference ?? '')].map(([key, all]) => [key, all.length]),
  );
}

function serve(): Promise<Larder> {
  registry.proxy.clear();
  return larder({ upstreams: { 'docker.io': { url: registry.url } } });
}

test(`${IMAGES} images are warmed, each digest fetched once, and served while the registry is gone`, async () => {
  await using mirror = await serve();
  const exit = await larderCommand(['warm', '--json', '--file', list, '--config', mirror.configFile]);
  expect(exit.code).toBe(0);
  const { images, failed } = WarmResult.parse(JSON.parse(exit.stdout));
  expect([images.length, failed]).toEqual([IMAGES, 0]);
  for (const { parts } of images) expect(parts).toBe(4);
  // Of each image its own layer and its config, and the layer that all have.
  expect(fetches().size).toBe(2 * IMAGES + 1);
  expect(new Set(fetches().values())).toEqual(new Set([1]));

  const asked = registry.proxy.requests.length;
  registry.proxy.spoil(() => ({ status: 503 }));
  const manifest = await ask(`${mirror.url}/v2/team/app-7/manifests/1`);
  expect(manifest.status).toBe(200);
  const { layers } = JSON.parse(manifest.body.toString()) as {
    layers: readonly { digest: string; size: number }[];
  };
  for (const { digest, size } of layers)
    expect((await ask(`${mirror.url}/v2/team/app-7/blobs/${digest}`)).body.length).toBe(size);
  expect(registry.proxy.requests.length).toBe(asked);
  registry.proxy.heal();
});

test('killed in the middle, the same command fetches only what is missing; the server’s own pulls go on', async () => {
  await using mirror = await serve();
  registry.proxy.spoil(({ kind }) => (kind === 'blob' ? { bytesPerSecond: 4 * MIB } : undefined));
  const args = ['warm', '--file', list, '--config', mirror.configFile];
  {
    await using warming = startProcess(process.execPath, [MAIN, ...args]);
    await until('some of it is here', async () => (fetches().size > 4 ? true : undefined));
    expect((await ask(`${mirror.url}/v2/team/app-0/manifests/1`)).status).toBe(200);
    warming.kill('SIGKILL');
    await warming.exited;
  }
  // The job goes on in the server; the same command joins its work, and costs no second fetch.
  registry.proxy.heal();
  expect((await larderCommand(args)).code).toBe(0);
  expect(fetches().size).toBe(2 * IMAGES + 1);
  expect(new Set(fetches().values())).toEqual(new Set([1]));
});

test('killed with the server, it is listed as interrupted, and goes on after the restart', async () => {
  await using cache = await temporaryDirectory('warm-cache');
  const cacheDirectory = join(cache.path, 'cache');
  const config = { upstreams: { 'docker.io': { url: registry.url } } };
  registry.proxy.clear();
  registry.proxy.spoil(({ kind }) => (kind === 'blob' ? { bytesPerSecond: 4 * MIB } : undefined));
  {
    await using mirror = await larder(config, { cacheDirectory });
    await using warming = startProcess(process.execPath, [
      MAIN,
      'warm',
      '--file',
      list,
      '--config',
      mirror.configFile,
    ]);
    await until('some of it is here', async () => (fetches().size > 4 ? true : undefined));
    mirror.process.kill('SIGKILL');
    await mirror.process.exited;
    expect((await warming.exited).code).not.toBe(0);
  }
  registry.proxy.heal();
  await using mirror = await larder(config, { cacheDirectory });
  const jobs = await larderCommand(['jobs', '--config', mirror.configFile]);
  expect(jobs.stdout).toMatch(/warm +interrupted/);
  const exit = await larderCommand(['warm', '--json', '--file', list, '--config', mirror.configFile]);
  expect([exit.code, WarmResult.parse(JSON.parse(exit.stdout)).failed]).toEqual([0, 0]);
});
