/** Larder on a Unix socket, as a proxy in front of it connects. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { Agent, type AgentOptions } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { get, type ReceivedAnswer, type RequestOptions } from '../../support/http-get.ts';
import { startMirror, type MirrorFixture, type MirrorFixtureOptions } from '../../support/mirror-fixture.ts';

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
  readonly folder: string;
  get(path: string, asked?: RequestOptions): Promise<ReceivedAnswer>;
}

async function start(options: Partial<MirrorFixtureOptions> = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'larder-test-'));
  const path = join(folder, 'larder.sock');
  const registry = await startFakeRegistry();
  registry.putImage('acme/app', '1');
  const mirror = await startMirror({
    upstreams: [{ name: 'registry.test', registry }],
    listen: { path },
    ...options,
  });
  const base = new URL('http://mirror');
  const agent = (): Agent => new Agent({ socketPath: path } as AgentOptions);
  return {
    registry,
    mirror,
    folder,
    get: (url, asked) => get(base, url, { agent: agent(), ...asked }),
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

test('content is the same by a Unix socket: manifests, cold and warm blobs, ranges', async () => {
  await using world = await start();
  const content = randomBytes(5_000_000);
  const { digest } = world.registry.putBlob('acme/app', content);
  const path = `/v2/acme/app/blobs/${digest}`;
  expect((await world.get('/v2/acme/app/manifests/1')).status).toBe(200);
  for (const which of ['cold', 'warm']) {
    const { body, complete } = await world.get(path);
    expect([which, complete, body.equals(content)]).toEqual([which, true, true]);
  }
  const part = await world.get(path, { headers: { range: 'bytes=1000000-3999999' } });
  expect([part.status, part.body.equals(content.subarray(1_000_000, 4_000_000))]).toEqual([206, true]);
});

const FORWARDED = { headers: { 'x-forwarded-for': '203.0.113.9' } };

test.each<[string, readonly string[], string]>([
  ['trusted, the client is the one that it tells of', ['unix'], '203.0.113.9'],
  ['not trusted, the client is the socket', ['127.0.0.1/32'], 'unix'],
])('behind a proxy that is %s', async (_, trustedProxies, client) => {
  await using world = await start({ trustedProxies });
  await world.get('/v2/', FORWARDED);
  await expect.poll(() => world.mirror.served.at(-1)?.client).toBe(client);
});

test('the socket is for owner and group, and goes when the server stops', async () => {
  await using world = await start();
  expect((await stat(join(world.folder, 'larder.sock'))).mode & 0o777).toBe(0o660);
  await world.mirror.drain(0);
  expect(await readdir(world.folder)).toEqual([]);
});

test('a socket that cannot be removed does not hold up the end', async () => {
  await using world = await start();
  await rm(world.folder, { recursive: true });
  await writeFile(world.folder, 'where the folder was');
  expect(await world.mirror.drain(0)).toBe(0);
});

test('a second server cannot take the place of one that runs', async () => {
  await using world = await start();
  await expect(start({ listen: { path: join(world.folder, 'larder.sock') } })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
  expect((await world.get('/livez')).status).toBe(200);
});
