import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { MediaType } from '../../../src/oci/media-type.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture, type MirrorFixtureOptions } from '../../support/mirror-fixture.ts';
import { stallAfter } from '../../support/scripted-reply.ts';

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
}

async function start(options: Partial<MirrorFixtureOptions>): Promise<World> {
  const registry = await startFakeRegistry();
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

function dial({ mirror }: World): Socket {
  return connect(Number(mirror.url.port), '127.0.0.1');
}

/** So many large ones are more than the socket buffers on both sides hold. */
const MANIFESTS = 8;

/** A manifest of nearly the 4 MiB that there may be, in memory. */
async function cacheLargeManifest({ registry, mirror }: World): Promise<{ path: string; length: number }> {
  const annotations = { large: 'x'.repeat(4_000_000) };
  const { digest } = registry.putManifest(
    'acme/app',
    'large',
    { manifests: [], annotations },
    MediaType.ociIndex,
  );
  const path = `/v2/acme/app/manifests/${digest}`;
  await mirror.get(path);
  return { path, length: (await mirror.get(path)).body.length };
}

/** How many bytes come until the connection is closed. */
async function bytesUntilClosed(socket: Socket): Promise<number> {
  let received = 0;
  socket.on('data', (chunk) => (received += chunk.length)).on('error', () => undefined);
  await once(socket.resume(), 'close');
  return received;
}

describe('requests at the same time', () => {
  test.each([
    ['from one address', { requests: 2, requestsPerClient: 1 }, 429, 'TOOMANYREQUESTS'],
    ['in all', { requests: 1, requestsPerClient: 10 }, 503, 'UNAVAILABLE'],
  ])(
    '%s: beyond the limit a request is refused at once, and served when there is room',
    async (_, limits, status, code) => {
      await using world = await start({ limits });
      const { digest } = world.registry.putBlob('acme/app', randomBytes(1_000_000));
      const stalled = stallAfter(100_000);
      world.registry.fault({ kind: 'blob' }, stalled);
      const path = `/v2/acme/app/blobs/${digest}`;
      const first = await world.mirror.open(path);
      const refused = await world.mirror.get(path);
      expect([refused.status, refused.headers['retry-after']]).toEqual([status, '1']);
      expect(JSON.parse(refused.body.toString())).toMatchObject({ errors: [{ code }] });
      expect((await world.mirror.get('/livez')).status).toBe(200);
      stalled.release();
      await first.toArray();
      await expect.poll(async () => (await world.mirror.get(path)).status).toBe(200);
    },
  );

  test('a client that leaves makes room', async () => {
    await using world = await start({ limits: { requests: 1, requestsPerClient: 1 } });
    const { digest } = world.registry.putBlob('acme/app', randomBytes(1_000_000));
    const stalled = stallAfter(100_000);
    world.registry.fault({ kind: 'blob' }, stalled);
    const first = await world.mirror.open(`/v2/acme/app/blobs/${digest}`);
    first.destroy();
    await expect.poll(async () => (await world.mirror.get('/v2/')).status).toBe(200);
    stalled.release();
  });
});

describe('slow clients', () => {
  test('one that does not finish its request is cut', async () => {
    await using world = await start({ headerTimeoutMs: 200 });
    const socket = dial(world);
    socket.write('GET /v2/ HTTP/1.1\r\nHost: mirror\r\nX-Slow: ');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 408 /);
    await once(socket, 'close');
  });

  test('one that takes nothing of its answer is cut, and another is not disturbed', async () => {
    await using world = await start({ idleMs: 200 });
    // More than the socket buffers on both sides hold.
    const content = randomBytes(32 * 1024 * 1024);
    const { digest } = world.registry.putBlob('acme/app', content);
    const path = `/v2/acme/app/blobs/${digest}`;
    const idle = await world.mirror.open(path);
    idle.pause();
    expect((await world.mirror.get(path)).body.equals(content)).toBe(true);
    await expect
      .poll(() => world.mirror.served.find(({ complete }) => !complete)?.error)
      .toEqual(new Error('the client took nothing for 200 ms'));
    idle.destroy();
  });

  test.each([
    ['of the first', ''],
    ['of those behind a small one', 'GET /livez HTTP/1.1\r\nHost: mirror\r\n\r\n'],
  ])('one that takes nothing %s of many manifests in one connection is cut', async (_, before) => {
    await using world = await start({ idleMs: 200 });
    const { path, length } = await cacheLargeManifest(world);
    const idle = dial(world).pause();
    idle.write(before + `GET ${path} HTTP/1.1\r\nHost: mirror\r\n\r\n`.repeat(MANIFESTS));
    await expect
      .poll(() => world.mirror.served.some(({ complete }) => !complete), { timeout: 10_000 })
      .toBe(true);
    expect((await world.mirror.get(path)).body).toHaveLength(length);
    expect(await bytesUntilClosed(idle)).toBeLessThan(MANIFESTS * length);
  });

  test('that upstream is slow is not held against the client', async () => {
    await using world = await start({ idleMs: 50 });
    const content = randomBytes(1_000_000);
    const { digest } = world.registry.putBlob('acme/app', content);
    const stalled = stallAfter(100_000);
    world.registry.fault({ kind: 'blob' }, stalled);
    const patient = world.mirror.get(`/v2/acme/app/blobs/${digest}`);
    await stalled.reached;
    const idle = await start({ headerTimeoutMs: 200 });
    const witness = dial(idle);
    witness.resume().write('GET /v2/ HTTP/1.1\r\n');
    // Longer than the idle time, told by another server's clock.
    await once(witness, 'close');
    await idle[Symbol.asyncDispose]();
    stalled.release();
    expect((await patient).body.equals(content)).toBe(true);
  });
});

describe('requests that are too large', () => {
  test('headers beyond 64 KiB: 431', async () => {
    await using world = await start({});
    const socket = dial(world);
    socket.write(`GET /v2/ HTTP/1.1\r\nHost: mirror\r\nX-Large: ${'x'.repeat(70_000)}\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 431 /);
  });

  test('a path beyond what any repository needs: 400', async () => {
    await using world = await start({});
    expect((await world.mirror.get(`/v2/${'a/'.repeat(2000)}tags/list`)).status).toBe(400);
  });
});
