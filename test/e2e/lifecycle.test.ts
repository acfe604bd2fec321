import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { dockerRegistry } from '../support/e2e/docker-registry.ts';
import { ask } from '../support/e2e/http-client.ts';
import { larder } from '../support/e2e/larder.ts';
import { freePort } from '../support/e2e/port.ts';
import { startProcess } from '../support/e2e/process.ts';
import { temporaryDirectory } from '../support/e2e/temporary.ts';
import { until } from '../support/e2e/until.ts';

const { app, large, storage } = inject('stock');
const [layer] = large.layers.map((each) => each.descriptor);
const [appLayer] = app.layers.map((each) => each.descriptor);
if (layer === undefined || appLayer === undefined) throw new Error('the images have layers');
const MIB = 1024 * 1024;

test('SIGTERM lets a running pull finish, takes no new one, and ends with 0', async () => {
  await using registry = await dockerRegistry({ stock: storage });
  await using mirror = await larder({ upstreams: { 'registry.example.test': { url: registry.url } } });
  const repository = `${mirror.url}/v2/registry.example.test/team/large`;
  await ask(`${repository}/manifests/1`);
  registry.proxy.spoil(() => ({ bytesPerSecond: 40 * MIB }));
  let bytes = 0;
  const pull = ask(`${repository}/blobs/${layer.digest}`, {
    discard: true,
    onBytes: (count) => (bytes = count),
  });
  await until('the pull is running', () => (bytes > 0 ? true : undefined));

  mirror.process.kill('SIGTERM');

  await until('nobody else is let in', async () =>
    ask(`${mirror.url}/livez`).then(
      (answer) => (answer.status === 503 ? true : undefined),
      () => true,
    ),
  );
  expect(bytes).toBeLessThan(layer.size);
  expect(await pull).toMatchObject({ status: 200, complete: true, digest: layer.digest });
  expect(await mirror.process.exited).toMatchObject({ code: 0 });
});

test('SIGTERM, with a delay: a pull that is under way when it is over gets its next layer, and all of it', async () => {
  await using registry = await dockerRegistry({ stock: storage });
  const upstreams = { 'registry.example.test': { url: registry.url } };
  await using mirror = await larder({ upstreams, drainDelay: '200ms' });
  const repository = `${mirror.url}/v2/registry.example.test/team`;
  for (const image of ['large', 'app']) await ask(`${repository}/${image}/manifests/1`);
  registry.proxy.spoil(() => ({ bytesPerSecond: 20 * MIB }));
  let bytes = 0;
  const pull = ask(`${repository}/large/blobs/${layer.digest}`, {
    discard: true,
    onBytes: (count) => (bytes = count),
  });
  await until('the pull is running', () => (bytes > 0 ? true : undefined));
  mirror.process.kill('SIGTERM');
  const toldAt = performance.now();
  await until('the delay is over', () => (performance.now() - toldAt > 1_000 ? true : undefined));
  const next = await ask(`${repository}/app/blobs/${appLayer.digest}`, { discard: true });
  expect(bytes).toBeLessThan(layer.size);
  expect(next).toMatchObject({ status: 200, complete: true, digest: appLayer.digest });
  expect(await pull).toMatchObject({ status: 200, complete: true, digest: layer.digest });
  expect(await mirror.process.exited).toMatchObject({ code: 0 });
});

describe('told to stop, with a delay for load balancers', () => {
  const config = { upstreams: { 'docker.io': {} }, drainDelay: '5m' };

  test('SIGTERM: it is not ready, and takes new connections; a second one ends it', async () => {
    await using mirror = await larder(config);
    mirror.process.kill('SIGTERM');
    await until('it says that it is not ready', async () =>
      (await ask(`${mirror.url}/readyz`)).status === 503 ? true : undefined,
    );
    expect((await ask(`${mirror.url}/v2/`)).status).toBe(200);
    // At once it would be what npm passes on of the first.
    await until('it has ended', async () => {
      mirror.process.kill('SIGTERM');
      return Promise.race([mirror.process.exited, Promise.resolve(undefined)]);
    });
    expect(await mirror.process.exited).toMatchObject({ signal: 'SIGTERM' });
  });

  test('SIGINT, at a terminal: it does not wait for any', async () => {
    await using mirror = await larder(config);
    mirror.process.kill('SIGINT');
    expect(await mirror.process.exited).toMatchObject({ code: 0 });
  });
});

describe('a cache directory', () => {
  test('has one process: a second is refused with the reason', async () => {
    await using directory = await temporaryDirectory('cache');
    const cacheDirectory = directory.path;
    await using _first = await larder({}, { cacheDirectory });

    const second = larder({}, { cacheDirectory });

    await expect(second).rejects.toThrow(/ended with 1[^]*(in use|another|already)/i);
  });

  test('is free again after a crash, and what a crash left half-written is swept', async () => {
    await using registry = await dockerRegistry({ stock: storage });
    await using directory = await temporaryDirectory('cache');
    const cacheDirectory = directory.path;
    const config = { upstreams: { 'registry.example.test': { url: registry.url } } };
    await using crashing = await larder(config, { cacheDirectory });
    const path = '/v2/registry.example.test/team/large';
    await ask(`${crashing.url}${path}/manifests/1`);
    registry.proxy.spoil(() => ({ bytesPerSecond: 10 * MIB }));
    let bytes = 0;
    const cut = ask(`${crashing.url}${path}/blobs/${layer.digest}`, {
      discard: true,
      onBytes: (count) => (bytes = count),
    });
    await until('the pull is running', () => (bytes > MIB ? true : undefined));

    crashing.process.kill('SIGKILL');

    expect(await cut).toMatchObject({ complete: false });
    await crashing.process.exited;
    registry.proxy.heal();
    await using mirror = await larder(config, { cacheDirectory });
    expect(await readdir(join(cacheDirectory, 'ingest'))).toEqual([]);
    const answer = await ask(`${mirror.url}${path}/blobs/${layer.digest}`, { discard: true });
    expect(answer).toMatchObject({ status: 200, complete: true, digest: layer.digest });
  });
});

test('with every upstream unreachable it starts and serves what it has', async () => {
  await using registry = await dockerRegistry({ stock: storage });
  await using directory = await temporaryDirectory('cache');
  const cacheDirectory = directory.path;
  const upstreams = { 'registry.example.test': { url: registry.url } };
  const path = '/v2/registry.example.test/team/app';
  const tags = { ttl: '0s', deadline: '1s' };
  {
    await using filling = await larder({ upstreams, tags }, { cacheDirectory });
    await ask(`${filling.url}${path}/manifests/1`);
    await ask(`${filling.url}${path}/blobs/${appLayer.digest}`);
    await ask(`${filling.url}${path}/tags/list`);
  }
  await registry.proxy.close();

  await using mirror = await larder({ upstreams, tags }, { cacheDirectory });

  const tag = await ask(`${mirror.url}${path}/manifests/1`);
  expect(tag).toMatchObject({ status: 200, digest: app.manifest.digest });
  expect(tag.headers['warning']).toMatch(/^299 - "/);
  expect(tag.headers['cache-status']).toMatch(/^larder; (hit|fwd=stale)/);
  const manifest = await ask(`${mirror.url}${path}/manifests/${app.manifest.digest}`);
  expect(manifest).toMatchObject({ status: 200, digest: app.manifest.digest });
  const blob = await ask(`${mirror.url}${path}/blobs/${appLayer.digest}`);
  expect(blob).toMatchObject({ status: 200, complete: true, digest: appLayer.digest });
  const list = await ask(`${mirror.url}${path}/tags/list`);
  expect(JSON.parse(list.body.toString())).toMatchObject({ tags: ['1'] });
  const absent = await ask(`${mirror.url}/v2/registry.example.test/team/large/manifests/1`);
  expect([502, 503, 504]).toContain(absent.status);
});

test('npm start serves with ./config.yaml, tells where, and npm ends it', async () => {
  await using directory = await temporaryDirectory('start');
  const host = `127.0.0.1:${await freePort()}`;
  const env = { LARDER_LISTEN: host, LARDER_CACHE_DIRECTORY: join(directory.path, 'cache') };
  const root = join(import.meta.dirname, '../..');
  await using started = startProcess('npm', ['start'], { cwd: root, env });

  await until('npm start serves', async () =>
    (await ask(`http://${host}/readyz`)).status === 200 ? true : undefined,
  );
  // The block is written once the server listens, so a little later than the first answer.
  const block = await until('npm start tells where', () => {
    const output = started.stdout() + started.stderr();
    return output.includes('registry-mirrors') ? output : undefined;
  });

  expect(block).toContain(host);
  expect(block).toContain(env.LARDER_CACHE_DIRECTORY);
  expect(block).toContain('docker.io');
  expect(block).toContain('registry-mirrors');
  started.kill('SIGTERM');
  // Its output ends with the last process that holds it: none is left behind npm.
  await started.exited;
  await expect(ask(`http://${host}/livez`)).rejects.toThrow('ECONNREFUSED');
});
