/**
 * What other caches got wrong, by the numbers under which their users reported it. Most of it is held by other
 * tests as well; here it is held by name.
 */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { MediaType } from '../../../src/oci/media-type.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import type { AuthOptions } from '../../support/fake-registry-auth.ts';
import { startMirror, type MirrorFixture, type MirrorFixtureOptions } from '../../support/mirror-fixture.ts';
import {
  chunked,
  cutAfter,
  instead,
  neverRespond,
  registryError,
  stallAfter,
  status,
  type Stall,
} from '../../support/scripted-reply.ts';

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
}

async function start(options: Partial<MirrorFixtureOptions> = {}, auth?: AuthOptions): Promise<World> {
  const registry = await startFakeRegistry(auth && { auth });
  const mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }], ...options });
  return {
    registry,
    mirror,
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

const CONTENT = randomBytes(2_000_000);
const DIGEST = digestOf(CONTENT);
const PATH = `/v2/acme/app/blobs/${DIGEST}`;

test('distribution#2367: a blob that is gone from the disk is fetched again, and no empty 200 is served', async () => {
  await using world = await start();
  world.registry.putBlob('acme/app', CONTENT);
  await world.mirror.get(PATH);
  await world.mirror.deleteFile(DIGEST);
  const answer = await world.mirror.get(PATH);
  expect([answer.status, answer.body.equals(CONTENT)]).toEqual([200, true]);
});

test('distribution#4511, harbor#22184: concurrent cold pulls are one fetch', async () => {
  await using world = await start();
  world.registry.putBlob('acme/app', CONTENT);
  const silent = neverRespond();
  world.registry.fault({ kind: 'blob' }, silent);
  const pulls = Promise.all(Array.from({ length: 30 }, () => world.mirror.get(PATH)));
  await silent.reached;
  silent.release();
  for (const { body } of await pulls) expect(body.equals(CONTENT)).toBe(true);
  expect(world.registry.count({ kind: 'blob' })).toBe(1);
});

test('distribution (client aborts, cache write cancelled): the first client leaves, the others finish', async () => {
  await using world = await start();
  world.registry.putBlob('acme/app', CONTENT);
  const stalled = stallAfter(100_000);
  world.registry.fault({ kind: 'blob' }, stalled);
  const leader = await world.mirror.open(PATH);
  await stalled.reached;
  const follower = world.mirror.get(PATH);
  await expect.poll(() => world.mirror.fill(DIGEST)?.followers).toBe(2);
  leader.destroy();
  stalled.release();
  expect((await follower).body.equals(CONTENT)).toBe(true);
});

test('oci-registry#13, oci-pull-through: a truncated upstream body is never committed, told length or not', async () => {
  for (const how of [[cutAfter(1_000_000)], [chunked(), cutAfter(1_000_000)]]) {
    await using world = await start();
    world.registry.putBlob('acme/app', CONTENT);
    world.registry.fault({ kind: 'blob', times: 1 }, ...how);
    // Taking it up again is refused as well, so that nothing but the truncated body is left.
    world.registry.fault({ kind: 'blob' }, (reply) =>
      reply.status === 206 ? registryError(404, 'BLOB_UNKNOWN') : reply,
    );
    expect((await world.mirror.get(PATH)).complete).toBe(false);
    expect(await world.mirror.files('blobs/sha256')).toEqual([]);
  }
});

test('zot (waiters read a nil error): everyone who waits for a flight gets its error', async () => {
  await using world = await start();
  const silent = neverRespond();
  world.registry.fault({ kind: 'manifest' }, instead(status(503)), silent);
  const pulls = [1, 2, 3].map(() => world.mirror.get('/v2/acme/app/manifests/latest'));
  await silent.reached;
  silent.release();
  for (const { status } of await Promise.all(pulls)) expect(status).toBe(502);
});

describe('zot#4345: a request that was abandoned poisons nothing', () => {
  const MANIFEST = '/v2/acme/app/manifests/latest';
  const KINDS = [
    { kind: 'manifest', path: MANIFEST },
    { kind: 'blob', path: PATH },
  ] as const;

  /** A client asks for `path` and goes without an answer, while upstream has the question and does not answer it. */
  async function abandon({ mirror }: World, path: string, silent: Stall): Promise<void> {
    const client = connect(Number(mirror.url.port), mirror.url.hostname);
    client.write(`GET ${path} HTTP/1.1\r\nHost: mirror\r\n\r\n`);
    await silent.reached;
    client.destroy();
    // There is room for one: that the next is let in tells that the first is known to be gone.
    await expect.poll(async () => (await mirror.get('/v2/')).status).toBe(200);
  }

  async function abandonable(): Promise<{ world: World; bytes: Record<'manifest' | 'blob', Uint8Array> }> {
    const world = await start({ limits: { requests: 1, requestsPerClient: 1 } });
    const { bytes } = world.registry.putImage('acme/app', 'latest', { layers: [CONTENT] });
    return { world, bytes: { manifest: bytes, blob: CONTENT } };
  }

  test.each(KINDS)('$kind: who asks next gets what it was waiting for', async ({ kind, path }) => {
    const { world: started, bytes } = await abandonable();
    await using world = started;
    const silent = neverRespond();
    world.registry.fault({ kind, times: 1 }, silent);
    await abandon(world, path, silent);
    const next = world.mirror.get(path);
    // Asked for and answered later, so that the one before it is there by now.
    await world.mirror.get('/livez');
    silent.release();
    const { status: answered, body } = await next;
    expect([answered, body.equals(bytes[kind])]).toEqual([200, true]);
    const asked = world.registry.count({ kind });
    expect((await world.mirror.get(path)).body.equals(bytes[kind])).toBe(true);
    expect(world.registry.count({ kind })).toBe(asked);
    expect(world.registry.count({ kind, method: 'GET' })).toBe(1);
  });

  test.each(KINDS)("$kind: that it failed is nobody else's answer", async ({ kind, path }) => {
    const { world: started, bytes } = await abandonable();
    await using world = started;
    const silent = neverRespond();
    world.registry.fault({ kind, times: 1 }, instead(status(503)), silent);
    await abandon(world, path, silent);
    silent.release();
    await expect.poll(() => world.mirror.served.some(({ url }) => url === path)).toBe(true);
    const { status: answered, body } = await world.mirror.get(path);
    expect([answered, body.equals(bytes[kind])]).toEqual([200, true]);
  });
});

test('zot on_demand: an image by digest and the referrers of that digest are two questions', async () => {
  await using world = await start();
  const image = world.registry.putImage('acme/app', 'latest');
  const [manifest, referrers] = await Promise.all([
    world.mirror.get(`/v2/acme/app/manifests/${image.digest}`),
    world.mirror.get(`/v2/acme/app/referrers/${image.digest}`),
  ]);
  expect(manifest.headers['content-type']).toBe(MediaType.ociManifest);
  expect(referrers.headers['content-type']).toBe(MediaType.ociIndex);
});

test('docker-registry#1071, quay: 401 for what is missing reaches the client as 404, and never as 401', async () => {
  await using world = await start({}, { kind: 'bearer', account: { username: 'u', password: 'p' } });
  for (const path of ['/v2/acme/app/manifests/latest', PATH, '/v2/acme/app/tags/list']) {
    const { status: answered, headers, body } = await world.mirror.get(path);
    expect(answered).toBe(404);
    expect(JSON.parse(body.toString())).toMatchObject({ errors: [{ code: 'NAME_UNKNOWN' }] });
    expect(headers['www-authenticate']).toBeUndefined();
  }
  // Upstream has said 401, to the token that it gave.
  expect(world.registry.count({ kind: 'token' })).toBeGreaterThan(0);
});

test('harbor#19899, #19257: 429 does not fail a pull of what is cached', async () => {
  await using world = await start();
  const image = world.registry.putImage('acme/app', 'latest');
  await world.mirror.get('/v2/acme/app/manifests/latest');
  world.mirror.clock.advance(86_400_000);
  world.registry.fault({}, instead(registryError(429, 'TOOMANYREQUESTS')));
  expect((await world.mirror.get('/v2/acme/app/manifests/latest')).body).toEqual(Buffer.from(image.bytes));
});

test('harbor#20920: an index is served byte for byte, whatever part of it is cached', async () => {
  await using world = await start();
  const amd64 = world.registry.putImage('acme/app', undefined);
  const index = world.registry.putIndex('acme/app', 'latest', [
    { ...amd64.descriptor, platform: { os: 'linux', architecture: 'amd64' } },
    {
      ...amd64.descriptor,
      digest: digestOf('never there'),
      platform: { os: 'linux', architecture: 's390x' },
    },
  ]);
  const answer = await world.mirror.get('/v2/acme/app/manifests/latest');
  expect(answer.body).toEqual(Buffer.from(index.bytes));
});

test('harbor#22609: HEAD of a blob that is not cached tells its size', async () => {
  await using world = await start();
  world.registry.putBlob('acme/app', CONTENT);
  const answer = await world.mirror.head(PATH);
  expect([answer.status, answer.headers['content-length']]).toEqual([200, String(CONTENT.length)]);
});

test('harbor#23875, nora#654: a range of a blob that is not cached is a range', async () => {
  await using world = await start();
  world.registry.putBlob('acme/app', CONTENT);
  const answer = await world.mirror.get(PATH, { headers: { range: 'bytes=10-19' } });
  expect([answer.status, answer.body.equals(CONTENT.subarray(10, 20))]).toEqual([206, true]);
});

test('zot CVE-2024-39897: a blob shared by digest is not shared by permission', async () => {
  await using world = await start();
  world.registry.putBlob('acme/private', CONTENT);
  world.registry.putBlob('acme/public', Buffer.from('something else'));
  await world.mirror.get(`/v2/acme/private/blobs/${DIGEST}`);
  expect((await world.mirror.get(`/v2/acme/public/blobs/${DIGEST}`)).status).toBe(404);
});

test('zot#4184, #4393: a hit walks nothing upstream', async () => {
  await using world = await start();
  const image = world.registry.putImage('acme/app', 'latest');
  const paths = [
    '/v2/acme/app/manifests/latest',
    `/v2/acme/app/manifests/${image.digest}`,
    `/v2/acme/app/blobs/${image.config.digest}`,
  ];
  for (const path of paths) await world.mirror.get(path);
  const before = world.registry.requests.length;
  for (const path of paths)
    expect((await world.mirror.get(path)).headers['cache-status']).toMatch(/^larder; hit/);
  expect(world.registry.requests.length).toBe(before);
});

test('harbor (412 of a policy): one repository that may not be pulled takes no other one down, and keeps its tags', async () => {
  await using world = await start();
  world.registry.putImage('acme/app', 'good', {});
  world.registry.putImage('acme/blocked', 'cached', {});
  await world.mirror.get('/v2/acme/blocked/manifests/cached');
  world.mirror.clock.advance(60 * 60 * 1000);
  const refuse = instead(registryError(412, 'PROJECTPOLICYVIOLATION'));
  const end = world.registry.fault({ repository: 'acme/blocked' }, refuse);
  const cached = await world.mirror.get('/v2/acme/blocked/manifests/cached');
  expect([cached.status, String(cached.body)]).toEqual([404, expect.stringContaining('NAME_UNKNOWN')]);
  for (let i = 0; i < 6; i += 1) {
    expect((await world.mirror.get(`/v2/acme/blocked/manifests/t${i}`)).status).toBe(404);
  }
  expect((await world.mirror.get('/v2/acme/app/manifests/good')).status).toBe(200);
  end();
  world.registry.down();
  world.mirror.clock.advance(31_000);
  expect((await world.mirror.get('/v2/acme/blocked/manifests/cached')).status).toBe(200);
});
