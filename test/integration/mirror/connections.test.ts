/** Who holds connections, and what is left for others: on real sockets, by the addresses of this machine. */
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture, type MirrorFixtureOptions } from '../../support/mirror-fixture.ts';
import { stallAfter } from '../../support/scripted-reply.ts';

/** Another machine than that of `mirror.get`. */
const HOARDER = '127.0.0.2';

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
  /** Connects from an address. */
  dial(from: string): Promise<Socket>;
}

async function start(options: Partial<MirrorFixtureOptions>): Promise<World> {
  const registry = await startFakeRegistry();
  registry.putImage('acme/app', '1');
  const mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }], ...options });
  const sockets: Socket[] = [];
  return {
    registry,
    mirror,
    async dial(from) {
      const socket = connect({ port: Number(mirror.url.port), host: '127.0.0.1', localAddress: from });
      socket.on('error', () => undefined);
      sockets.push(socket);
      await once(socket, 'connect');
      return socket;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

async function dialMany(world: World, from: string, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let n = 0; n < count; n += 1) sockets.push(await world.dial(from));
  return sockets;
}

/** Sends a request by a connection that stays open, and waits for the answer's first part. */
async function ask(socket: Socket, path: string): Promise<string> {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: mirror\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
}

/** A cold blob that upstream does not finish: who asks for it stays. */
function stallingBlob({ registry }: World): { path: string; release: () => void } {
  const { digest } = registry.putBlob('acme/app', randomBytes(1_000_000));
  const stalled = stallAfter(100_000);
  registry.fault({ kind: 'blob' }, stalled);
  return { path: `/v2/acme/app/blobs/${digest}`, release: () => stalled.release() };
}

const FEW = { connections: 4, connectionsPerClient: 1 };

describe('one address that holds every connection', () => {
  test('and sends nothing: its oldest go for those of others', async () => {
    await using world = await start({ connections: FEW });
    const hoard = await dialMany(world, HOARDER, 4);
    const first = once(hoard[0] as Socket, 'close');
    expect((await world.mirror.get('/livez')).status).toBe(200);
    expect((await world.mirror.get('/v2/acme/app/manifests/1')).status).toBe(200);
    await first;
  });

  test('with half a request on each: the same', async () => {
    await using world = await start({ connections: FEW });
    for (const socket of await dialMany(world, HOARDER, 4))
      socket.write('GET /v2/ HTTP/1.1\r\nHost: m\r\nX-A');
    expect((await world.mirror.get('/v2/acme/app/manifests/1')).status).toBe(200);
  });

  test('kept alive after a request: the one that was asked on last stays longest', async () => {
    await using world = await start({ connections: FEW });
    const [one, two, three] = (await dialMany(world, HOARDER, 3)) as [Socket, Socket, Socket];
    for (const socket of [two, one, three]) await ask(socket, '/livez');
    const closed = once(two, 'close');
    const others = await dialMany(world, '127.0.0.3', 2);
    await closed;
    expect([one.destroyed, three.destroyed, others.some(({ destroyed }) => destroyed)]).toEqual([
      false,
      false,
      false,
    ]);
    expect(await ask(one, '/livez')).toMatch(/ 200 OK/);
  });

  test('and takes its own oldest place where it wants more', async () => {
    await using world = await start({ connections: FEW });
    const other = await world.dial('127.0.0.3');
    const hoard = await dialMany(world, HOARDER, 8);
    await expect.poll(() => hoard.filter(({ destroyed }) => !destroyed).length).toBe(2);
    expect(await ask(other, '/v2/')).toMatch(/ 200 OK/);
  });
});

describe('every connection has a request running', () => {
  test('whether the server is well is answered, anything else is 503, and both are closed', async () => {
    await using world = await start({ connections: { connections: 2, connectionsPerClient: 2 } });
    const { path, release } = stallingBlob(world);
    for (const socket of await dialMany(world, HOARDER, 2)) await ask(socket, path);
    for (const page of ['/livez', '/readyz']) {
      const { status, headers } = await world.mirror.get(page);
      expect([status, headers.connection]).toEqual([200, 'close']);
    }
    for (const other of ['/v2/', '/v2/acme/app/manifests/1', '/metrics', '/v2/../livez']) {
      const { status, headers, body } = await world.mirror.get(other);
      expect([status, headers.connection, headers['retry-after']]).toEqual([503, 'close', '1']);
      expect(body.toString()).toContain('too many connections');
    }
    release();
    await expect.poll(async () => (await world.mirror.get('/v2/')).status).toBe(200);
  });

  test('what asks nothing there is closed after two seconds, and does not keep the question of another out', async () => {
    await using world = await start({ connections: { connections: 1, connectionsPerClient: 1 } });
    const { path, release } = stallingBlob(world);
    await ask(await world.dial(HOARDER), path);
    const silent = await dialMany(world, HOARDER, 40);
    expect((await world.mirror.get('/livez')).status).toBe(200);
    await expect.poll(() => silent.filter(({ destroyed }) => !destroyed).length).toBe(15);
    world.mirror.clock.advance(2_000);
    await expect.poll(() => silent.every(({ destroyed }) => destroyed)).toBe(true);
    release();
  });
});

describe('behind a proxy', () => {
  const FORWARDED = { 'x-forwarded-for': '198.51.100.1, 203.0.113.9' };

  test('that is trusted, the client is the one that it tells of; else nobody is believed', async () => {
    for (const [trustedProxies, client] of [
      [['127.0.0.1/32'], '203.0.113.9'],
      [[], '127.0.0.1'],
    ] as const) {
      await using world = await start({ trustedProxies });
      await world.mirror.get('/v2/', { headers: FORWARDED });
      await expect.poll(() => world.mirror.served.at(-1)?.client).toBe(client);
    }
  });

  test('requests are counted for each client of it', async () => {
    const limits = { requests: 3, requestsPerClient: 1 };
    await using world = await start({ trustedProxies: ['127.0.0.1/32'], limits });
    const { path, release } = stallingBlob(world);
    const by = (client: string): { headers: Record<string, string> } => ({
      headers: { forwarded: `for=${client}` },
    });
    const running = [
      await world.mirror.open(path, by('203.0.113.9')),
      await world.mirror.open(path, by('203.0.113.9')),
    ];
    expect((await world.mirror.get('/v2/', by('203.0.113.9'))).status).toBe(429);
    expect((await world.mirror.get('/v2/', by('203.0.113.10'))).status).toBe(200);
    release();
    for (const incoming of running) await incoming.toArray();
  });

  test('its connections are no share of one client', async () => {
    await using world = await start({ connections: FEW, trustedProxies: [`${HOARDER}/32`] });
    const proxied = await dialMany(world, HOARDER, 3);
    await dialMany(world, '127.0.0.3', 3);
    for (const socket of proxied) expect(await ask(socket, '/v2/')).toMatch(/ 200 OK/);
  });
});

describe('told to stop', () => {
  test('it says that it is not ready and serves on, new connections included, while a pull is under way', async () => {
    await using world = await start({});
    const { path, release } = stallingBlob(world);
    const pull = world.mirror.open(path);
    await pull;
    const drained = world.mirror.drain(25_000, 5_000);
    const { status, body } = await world.mirror.get('/readyz');
    expect([status, JSON.parse(body.toString())]).toMatchObject([503, { reason: 'stopping' }]);
    expect((await world.mirror.get('/livez')).status).toBe(200);
    expect((await world.mirror.get('/v2/acme/app/manifests/1')).status).toBe(200);
    world.mirror.clock.advance(4_999);
    expect((await world.mirror.get('/v2/')).status).toBe(200);
    world.mirror.clock.advance(5_001);
    expect((await world.mirror.get('/v2/')).status).toBe(200);
    release();
    await (await pull).toArray();
    const later = (): Promise<unknown> => {
      world.mirror.clock.advance(500);
      return world.mirror.get('/livez').catch(String);
    };
    await expect.poll(later).toMatch('ECONNREFUSED');
    expect(await drained).toBe(0);
  });
});
