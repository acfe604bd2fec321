import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { containerd } from '../support/e2e/containerd.ts';
import { dockerRegistry, type DockerRegistry } from '../support/e2e/docker-registry.ts';
import { goTool } from '../support/e2e/go-tool.ts';
import { hashedFiles } from '../support/e2e/hash.ts';
import { ask } from '../support/e2e/http-client.ts';
import type { Image } from '../support/e2e/image.ts';
import { larder, larderCommand, type Larder } from '../support/e2e/larder.ts';
import { run, startProcess } from '../support/e2e/process.ts';
import { temporaryDirectory } from '../support/e2e/temporary.ts';
import { until } from '../support/e2e/until.ts';

const { app, artifact, debian, large, storage } = inject('stock');
const MIB = 1024 * 1024;

const digestsOf = (image: Image): readonly string[] =>
  [image.manifest, image.config, ...image.layers.map((layer) => layer.descriptor)].map(
    ({ digest }) => digest,
  );

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

let registry: DockerRegistry;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
/** Has made its cache, and stopped. */
let mirror: Larder;

const at = (name: string): string => join(directory.path, name);

/** Runs `larder export`, and fails if that fails. */
async function exportImages(...args: readonly string[]): Promise<string> {
  const exit = await larderCommand(['export', '--config', mirror.configFile, ...args]);
  if (exit.code !== 0)
    throw new Error(`larder export ended with ${exit.code}:\n${exit.stdout}${exit.stderr}`);
  return exit.stdout;
}

beforeAll(async () => {
  directory = await temporaryDirectory('export');
  registry = await dockerRegistry({ stock: storage });
  mirror = await larder({ upstreams: { 'docker.io': { url: registry.url } } });
  await mirror.stop();
});
afterAll(async () => {
  await mirror[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

/** Returns the bytes of a bundle that is being written; 0 if there is none. */
async function partialSize(bundle: string): Promise<number> {
  const name = (await readdir(directory.path)).find((each) => each.startsWith(`.${bundle}.`));
  return name === undefined ? 0 : (await stat(at(name))).size;
}

const isThere = async (bundle: string): Promise<boolean> => (await readdir(directory.path)).includes(bundle);

/** Kills an export by SIGKILL once `when` gives true. */
async function killedOnce(when: () => boolean | Promise<boolean>, args: readonly string[]): Promise<void> {
  await using exporting = startProcess(process.execPath, [MAIN, 'export', ...args]);
  await until('it has begun', async () => ((await when()) ? true : undefined));
  exporting.kill('SIGKILL');
  await exporting.exited;
}

test('killed while it pulls, and while it writes, the same command completes', async () => {
  const args = ['team/large:1', '-o', at('killed.tar')];
  const all = ['--config', mirror.configFile, ...args];
  registry.proxy.spoil(() => ({ bytesPerSecond: 20 * MIB }));
  await killedOnce(() => registry.proxy.requests.some(({ path }) => path.includes('team/large/blobs')), all);
  registry.proxy.heal();
  expect(await isThere('killed.tar')).toBe(false);
  await killedOnce(async () => (await partialSize('killed.tar')) > 0, all);
  expect([await isThere('killed.tar'), (await partialSize('killed.tar')) > 0]).toEqual([false, true]);

  await exportImages(...args);
  expect(await partialSize('killed.tar')).toBe(0);
  const sums = await run('sha256sum', ['--check', '--ignore-missing', 'SHA256SUMS'], { cwd: directory.path });
  expect(sums).toContain('killed.tar: OK');
  await exportImages('team/large:1', '-o', at('whole.tar'));
  expect(await sha256(at('killed.tar'))).toBe(await sha256(at('whole.tar')));
});

test('through a running server: its pulls go on, and a kill of either one costs no byte upstream', async () => {
  const config = { upstreams: { 'docker.io': { url: registry.url } } };
  await using cache = await temporaryDirectory('export-cache');
  const cacheDirectory = join(cache.path, 'cache');
  const args = ['team/large:1', '-o', at('served.tar')];
  await exportImages('team/large:1', '-o', at('whole.tar'));
  registry.proxy.clear();
  {
    await using server = await larder(config, { cacheDirectory });
    const all = ['--config', server.configFile, ...args];
    await killedOnce(async () => (await partialSize('served.tar')) > 0, all);
    const pulled = await ask(`${server.url}/v2/team/app/manifests/1`);
    expect([pulled.status, await isThere('served.tar')]).toEqual([200, false]);
    server.process.kill('SIGKILL');
    await server.process.exited;
  }
  const fetches = (): number =>
    registry.proxy.requests.filter(
      ({ method, path }) => method === 'GET' && path.includes('team/large/blobs'),
    ).length;
  const before = fetches();
  await using server = await larder(config, { cacheDirectory });
  const exit = await larderCommand(['export', '--config', server.configFile, ...args]);
  expect(exit).toMatchObject({ code: 0 });
  expect(fetches()).toBe(before);
  expect(await sha256(at('served.tar'))).toBe(await sha256(at('whole.tar')));
});

describe('a bundle of images', () => {
  const NAME = 'docker.io/library/debian:bookworm';
  const all = [debian.index.digest, ...digestsOf(debian.amd64), ...digestsOf(debian.arm64)];

  beforeAll(async () => {
    await exportImages('debian:bookworm', 'team/app:1', '--referrers', '-o', at('bundle.tar'));
    await exportImages('debian:bookworm', '-o', `${at('layout')}/`);
  });

  test('has the checksum that is written beside it', async () => {
    expect(await run('sha256sum', ['--check', 'SHA256SUMS'], { cwd: directory.path })).toContain(
      'bundle.tar: OK',
    );
  });

  test('is read by tar, and has each file by its digest', async () => {
    await using unpacked = await temporaryDirectory('unpacked');
    await run('tar', ['-xf', at('bundle.tar'), '-C', unpacked.path]);
    const digests = await hashedFiles(join(unpacked.path, 'blobs/sha256'));
    const names = (await readdir(join(unpacked.path, 'blobs/sha256'))).sort();
    expect(digests).toEqual(names.map((name) => `sha256:${name}`));
    expect(digests).toEqual(expect.arrayContaining([...all, ...digestsOf(app), artifact.digest]));
  });

  test.each([
    ['an archive', () => `oci-archive:${at('bundle.tar')}:${NAME}`],
    ['a directory', () => `oci:${at('layout')}:${NAME}`],
  ])('is copied by skopeo as %s, with all platforms and the same digests', async (_, source) => {
    await using target = await temporaryDirectory('skopeo');
    const layout = join(target.path, 'layout');
    await run('skopeo', ['copy', '--quiet', '--all', '--preserve-digests', source(), `oci:${layout}`]);
    expect(await hashedFiles(join(layout, 'blobs/sha256'))).toEqual([...new Set(all)].sort());
  });

  test('is imported by containerd under its name', async () => {
    await using daemon = await containerd({});
    await daemon.ctr('images', 'import', '--snapshotter', 'native', '--all-platforms', at('bundle.tar'));
    const images = await daemon.ctr('images', 'ls', '-q');
    expect(images.trim().split('\n').sort()).toEqual([NAME, 'docker.io/team/app:1']);
    expect(await daemon.hashedContent(all)).toEqual(all);
  });
});

test('a bundle of one platform has its image and the whole index, and skopeo copies that image', async () => {
  await exportImages('debian:bookworm', '--platform', 'linux/arm64', '-o', at('arm64.tar'));
  await using target = await temporaryDirectory('skopeo');
  const source = `oci-archive:${at('arm64.tar')}:docker.io/library/debian:bookworm`;
  const platform = ['--override-os', 'linux', '--override-arch', 'arm64'];
  const layout = join(target.path, 'layout');
  await run('skopeo', [...platform, 'copy', '--quiet', '--preserve-digests', source, `oci:${layout}`]);
  expect(await hashedFiles(join(layout, 'blobs/sha256'))).toEqual([...digestsOf(debian.arm64)].sort());
});

test('a later bundle has only what is new', async () => {
  await exportImages('team/app:1', '-o', at('first.tar'), '--inventory', at('there.json'));
  for (const since of ['first.tar', 'there.json']) {
    const args = ['team/app:1', 'team/large:1', '-o', at('second.tar.zst'), '--since', at(since)];
    await exportImages(...args);
    const names = await run('tar', ['--zstd', '-tf', at('second.tar.zst')]);
    const blobs = names.match(/blobs\/sha256\/\w+/g)?.map((path) => path.replace('blobs/sha256/', 'sha256:'));
    const known = new Set(digestsOf(app));
    expect(blobs?.toSorted()).toEqual(
      digestsOf(large)
        .filter((digest) => !known.has(digest))
        .toSorted(),
    );
  }
});

const CRANE = goTool('crane', 'github.com/google/go-containerregistry/cmd/crane', 'v0.20.6');
const craneUnable = await CRANE.install();
if (craneUnable !== undefined) console.log(`skipped, crane cannot be had here: ${craneUnable}`);

test.skipIf(craneUnable !== undefined)(
  'a directory of one image is pushed by crane with the same digest',
  async () => {
    await exportImages('team/app:1', '-o', `${at('app')}/`);
    await using target = await dockerRegistry({ stock: storage });
    const image = `${new URL(target.url).host}/team/copied:1`;
    await run(CRANE.path, ['push', '--insecure', at('app'), image]);
    expect((await run(CRANE.path, ['digest', '--insecure', image])).trim()).toBe(app.manifest.digest);
  },
);

const ORAS = goTool('oras', 'oras.land/oras/cmd/oras', 'v1.3.0');
const orasUnable = await ORAS.install();
if (orasUnable !== undefined) console.log(`skipped, oras cannot be had here: ${orasUnable}`);

test.skipIf(orasUnable !== undefined)(
  'oras copies an image of an archive, and finds what is about it',
  async () => {
    await exportImages('debian:bookworm', 'team/app:1', '--referrers', '-o', at('oras.tar'));
    await using target = await temporaryDirectory('oras');
    const layout = join(target.path, 'layout');
    const from = ['--from-oci-layout-path', at('oras.tar'), 'docker.io/team/app:1'];
    await run(ORAS.path, ['copy', ...from, '--to-oci-layout', `${layout}:1`]);
    expect(await hashedFiles(join(layout, 'blobs/sha256'))).toEqual([...digestsOf(app)].sort());
    const found = await run(ORAS.path, [
      'discover',
      '--oci-layout',
      `${at('oras.tar')}@${debian.index.digest}`,
    ]);
    expect(found).toContain(artifact.digest);
  },
);
