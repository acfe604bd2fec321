import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { get, open, type ReceivedAnswer, type RequestOptions } from '../../test/support/http-get.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { portOf } from '../../test/support/port-of.ts';
import { bytesOf, ScriptedReader } from '../../test/support/scripted-reader.ts';
import { openGate } from '../../test/support/open-gate.ts';
import { createDeliver } from '../delivery/deliver.ts';
import { createEvents, type ServedRequest } from '../events.ts';
import { StoreError } from '../store/error.ts';
import { Admission } from './admission.ts';
import { createApp, type AppOptions } from './app.ts';
import { listen } from './listening/listen.ts';
import { NO_BODY, type FlatReply, type Reply } from './reply.ts';
import { RequestRecords } from './request/request-record.ts';
import { TrustedProxies } from './request/trusted-proxies.ts';

interface World extends AsyncDisposable {
  readonly clock: ManualClock;
  readonly admission: Admission;
  readonly served: readonly ServedRequest[];
  readonly port: number;
  get(path: string, asked?: RequestOptions): Promise<ReceivedAnswer>;
}

interface WorldOptions {
  /** Absent: every client may do everything. */
  readonly gate?: AppOptions['gate'];
  readonly health?: Partial<AppOptions['health']>;
  /** The registry's answers. */
  readonly reply?: AppOptions['registry']['reply'];
  /** The registry's answers that take no waiting. */
  readonly replyNow?: AppOptions['registry']['replyNow'];
  /** The token endpoint's answers. */
  readonly tokens?: AppOptions['tokens']['reply'];
  readonly deliver?: AppOptions['deliver'];
}

/** The most requests at the same time. */
const REQUESTS = 10;

const EMPTY: Reply = { status: 200, headers: {}, body: NO_BODY };

/** Starts a server. Disposing of it asserts that nothing was written beside the log. */
async function start({ gate, health, reply, replyNow, deliver, tokens }: WorldOptions): Promise<World> {
  const complaints = vi.spyOn(console, 'error').mockReturnValue();
  const clock = new ManualClock();
  const events = createEvents();
  const served: ServedRequest[] = [];
  events.subscribe((event) => event.kind === 'request-served' && served.push(event.request));
  let ids = 0;
  const proxies = new TrustedProxies([]);
  const records = new RequestRecords(clock, events, () => `request-${(ids += 1)}`, proxies);
  const admission = new Admission({ requests: REQUESTS, requestsPerClient: REQUESTS });
  const app = createApp({
    registry: { replyNow: replyNow ?? (() => undefined), reply: reply ?? (() => Promise.resolve(EMPTY)) },
    tokens: { reply: tokens ?? (() => Promise.resolve(EMPTY)) },
    records,
    gate: gate ?? openGate(['pull', 'metrics']),
    api: {
      api: { answer: () => Promise.reject(new Error('not asked')), close() {} },
      gate: openGate([]),
      hasRules: true,
    },
    health: {
      probe: () => Promise.resolve(),
      detail: () => ({}),
      areMetricsLocal: false,
      metrics: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' }),
      ...health,
    },
    admission,
    idleMs: 0,
    deliver: deliver ?? createDeliver(),
  });
  const limits = { headerTimeoutMs: 60_000, connections: 100, connectionsPerClient: 100 };
  const address = { host: '127.0.0.1', port: 0 };
  const server = await listen({ app, records, proxies, clock, events, address, tls: undefined, limits });
  const port = portOf(server);
  const base = new URL(`http://127.0.0.1:${port}`);
  return {
    clock,
    admission,
    served,
    port,
    get: (path, asked) => get(base, path, asked),
    async [Symbol.asyncDispose]() {
      const drained = server.drain(0);
      clock.advance(0);
      await drained;
      const { calls } = complaints.mock;
      complaints.mockRestore();
      if (calls.length > 0) throw new Error('console.error was called', { cause: calls });
    },
  };
}

/** Expects that no request counts any more. */
function expectRoom({ admission }: World): void {
  let entered = 0;
  while (admission.enter('127.0.0.1') === undefined) entered += 1;
  for (let i = 0; i < entered; i += 1) admission.leave('127.0.0.1');
  expect(entered).toBe(REQUESTS);
}

describe('/livez', () => {
  test('says that the process is there, even if nothing else is', async () => {
    const health = { probe: () => Promise.reject(new Error('no index')) };
    await using world = await start({ health });
    expect(await world.get('/livez')).toMatchObject({ status: 200, body: Buffer.from('ok\n') });
    expect(await world.get('/livez', { method: 'HEAD' })).toMatchObject({ status: 200, body: Buffer.of() });
  });
});

describe('/readyz', () => {
  test('200 if the server can serve, with the problems of new pulls', async () => {
    await using world = await start({ health: { detail: () => ({ upstreams: { 'docker.io': 'open' } }) } });
    const { status, headers, body } = await world.get('/readyz');
    expect([status, headers['content-type']]).toEqual([200, 'application/json']);
    expect(JSON.parse(body.toString())).toEqual({ status: 'ready', upstreams: { 'docker.io': 'open' } });
  });

  test.each([
    [new StoreError('open the index', { code: 'EIO' }), 'cannot open the index: EIO'],
    ['gone', 'gone'],
  ])('cannot: 503 with the reason', async (failure, reason) => {
    // A thrown value need not be an error.
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors
    const probe = (): Promise<void> => Promise.reject(failure);
    await using world = await start({ health: { probe, detail: () => ({ disk: 'failing' }) } });
    const { status, body } = await world.get('/readyz');
    expect(status).toBe(503);
    expect(JSON.parse(body.toString())).toEqual({ status: 'not ready', reason, disk: 'failing' });
  });
});

test('the reason phrase of /readyz is the reason, in one line', async () => {
  const health = { probe: () => Promise.reject(new Error('no index:\n\u009bEIO')) };
  await using world = await start({ health });
  const base = new URL(`http://127.0.0.1:${world.port}`);
  expect((await open(base, '/readyz')).statusMessage).toBe('no index: EIO');
  expect((await open(base, '/livez')).statusMessage).toBe('OK');
});

describe('/metrics', () => {
  test('as they are, with their own type', async () => {
    await using world = await start({});
    const { status, headers, body } = await world.get('/metrics');
    expect([status, body.toString()]).toEqual([200, 'up 1\n']);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4');
  });

  test('are read once for all requests at the same time, and again for the next', async () => {
    const held = Promise.withResolvers<void>();
    let reads = 0;
    const metrics = async (): Promise<{ contentType: string; text: string }> => {
      reads += 1;
      await held.promise;
      return { contentType: 'text/plain', text: `reads ${reads}\n` };
    };
    await using world = await start({ health: { metrics } });
    const all = [1, 2, 3].map(() => world.get('/metrics'));
    await world.get('/livez');
    held.resolve();
    for (const { body } of await Promise.all(all)) expect(body.toString()).toBe('reads 1\n');
    expect((await world.get('/metrics')).body.toString()).toBe('reads 2\n');
  });

  test('that cannot be read: 500, with the reason only in the log', async () => {
    await using world = await start({
      health: { metrics: () => Promise.reject(new Error('/srv/cache: EIO')) },
    });
    const { status, body } = await world.get('/metrics');
    expect([status, body.toString()]).toEqual([500, 'internal error\n']);
    await expect
      .poll(() => world.served)
      .toMatchObject([{ status: 500, error: new Error('/srv/cache: EIO') }]);
  });
});

describe('the record of a request', () => {
  test('has the facts from the connection and from the registry', async () => {
    await using world = await start({
      reply: (_, record) => {
        record.requestKind = 'manifest';
        record.upstream = 'docker.io';
        record.outcome = 'hit';
        world.clock.advance(20);
        return Promise.resolve({
          status: 203,
          headers: {},
          body: { kind: 'bytes', bytes: Buffer.from('abc') },
        });
      },
    });
    await world.get('/v2/a/manifests/1?ns=x', {
      headers: { 'user-agent': 'docker/27', 'x-request-id': 'job' },
    });
    await expect
      .poll(() => world.served)
      .toEqual([
        {
          id: 'job',
          client: '127.0.0.1',
          userAgent: 'docker/27',
          method: 'GET',
          url: '/v2/a/manifests/1?ns=x',
          requestKind: 'manifest',
          upstream: 'docker.io',
          outcome: 'hit',
          status: 203,
          bytes: 3,
          complete: true,
          firstByteMs: 20,
          durationMs: 20,
        },
      ]);
  });

  test.each(['/livez', '/readyz', '/metrics', '/', '/v1/_ping', '/v2x'])(
    '%s is none of the registry’s',
    async (path) => {
      await using world = await start({ reply: () => Promise.reject(new Error('not asked')) });
      await world.get(path);
      await expect
        .poll(() => world.served)
        .toMatchObject([{ requestKind: 'other', complete: true, url: path }]);
    },
  );

  test('is told once, and as not complete, if the client has left before the answer', async () => {
    const asked = Promise.withResolvers<void>();
    const bytes = Buffer.from('late');
    await using world = await start({
      reply: async ({ socket }) => {
        asked.resolve();
        await once(socket, 'close');
        return { status: 200, headers: {}, body: { kind: 'bytes', bytes } };
      },
    });
    const socket = connect(world.port, '127.0.0.1');
    socket.write('GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n');
    await asked.promise;
    socket.destroy();
    await expect.poll(() => world.served).toMatchObject([{ bytes: 0, complete: false }]);
    expect(world.served[0]?.firstByteMs).toBeUndefined();
    expectRoom(world);
  });
});

describe('a way of sending that fails once it has begun', () => {
  test('costs its own connection', async () => {
    const deliver = (): Promise<never> => Promise.reject(new TypeError('a bug'));
    const body = { kind: 'blob', reader: new ScriptedReader(10), start: 0, end: 10 } as const;
    const reply = () => Promise.resolve({ status: 200, headers: { 'Content-Length': 10 }, body });
    await using world = await start({ deliver, reply });
    const isWhole = await world.get('/v2/').then(
      ({ complete }) => complete,
      () => false,
    );
    expect(isWhole).toBe(false);
    await expect.poll(() => world.served).toMatchObject([{ complete: false, error: new TypeError('a bug') }]);
    expect((await world.get('/livez')).status).toBe(200);
    expectRoom(world);
  });
});

describe('other forms of a request', () => {
  async function send(world: World, text: string): Promise<string> {
    const socket = connect(world.port, '127.0.0.1');
    socket.write(`${text}\r\nConnection: close\r\n\r\n`);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  }

  test.each(['/livez', '/readyz', '/metrics', '/v2/'])(
    'HTTP/1.0, which has no Host, for %s',
    async (path) => {
      await using world = await start({});
      expect(await send(world, `GET ${path} HTTP/1.0`)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    },
  );

  test('the absolute form, whose host counts', async () => {
    const hosts: unknown[] = [];
    const reply: WorldOptions['reply'] = ({ url, headers }) => {
      hosts.push([url, headers.host]);
      return Promise.resolve(EMPTY);
    };
    await using world = await start({ reply });
    await send(world, 'GET http://ghcr.test/v2/a/tags/list?n=1 HTTP/1.1\r\nHost: mirror');
    expect(hosts).toEqual([['/v2/a/tags/list?n=1', 'ghcr.test']]);
  });
});

describe('a request that can be answered at once', () => {
  const bytes = Buffer.from('abc');
  const ready: FlatReply = {
    status: 203,
    headers: ['ETag', '"x"', 'Content-Length', '3'],
    body: { kind: 'bytes', bytes, latin1: 'abc' },
  };

  test('is not passed on, and recorded like any other', async () => {
    await using world = await start({
      reply: () => Promise.reject(new Error('not asked')),
      replyNow: (_, record) => {
        record.requestKind = 'manifest';
        record.outcome = 'hit';
        world.clock.advance(20);
        return ready;
      },
    });
    const { status, headers, body } = await world.get('/v2/a/manifests/1');
    expect([status, headers.etag, headers['content-length'], body]).toEqual([203, '"x"', '3', bytes]);
    const head = await world.get('/v2/a/manifests/1', { method: 'HEAD' });
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([203, '3', 0]);
    const known = { requestKind: 'manifest', outcome: 'hit', status: 203, complete: true, firstByteMs: 20 };
    await expect
      .poll(() => world.served)
      .toMatchObject([
        { ...known, bytes: 3 },
        { ...known, bytes: 0 },
      ]);
    expectRoom(world);
  });

  test('bytes that are no text arrive as they are', async () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const body = { kind: 'bytes', bytes: all, latin1: all.toString('latin1') } as const;
    await using world = await start({
      replyNow: () => ({ ...ready, headers: ['Content-Length', '256'], body }),
    });
    expect((await world.get('/v2/')).body).toEqual(all);
  });

  test('is refused like any other beyond the limits', async () => {
    await using world = await start({ replyNow: () => ready });
    while (world.admission.enter('127.0.0.1') === undefined);
    expect((await world.get('/v2/')).status).toBe(503);
    world.admission.leave('127.0.0.1');
    expect((await world.get('/v2/')).status).toBe(203);
  });

  test.each<[string, AppOptions['registry']['replyNow']]>([
    ['a bug', () => expect.fail('a bug')],
    ['a header that cannot be sent', () => ({ ...ready, headers: ['ETag', 'a\nb'] })],
  ])('%s: 500, and the next request is served', async (_, replyNow) => {
    let count = 0;
    await using world = await start({
      replyNow: (...args) => ((count += 1) === 1 ? replyNow(...args) : ready),
    });
    expect([(await world.get('/v2/')).status, (await world.get('/v2/')).status]).toEqual([500, 203]);
    await expect.poll(() => world.served).toMatchObject([{ status: 500, outcome: 'error' }, { status: 203 }]);
    expectRoom(world);
  });
});

describe('a request for a token', () => {
  test('counts for the limits, by its path alone', async () => {
    await using world = await start({
      tokens: () => Promise.resolve({ ...EMPTY, status: 201 }),
      reply: () => Promise.reject(new Error('not asked')),
    });
    expect((await world.get('/token?ns=x')).status).toBe(201);
    expect((await world.get('/token', { method: 'POST', body: 'a=b' })).status).toBe(201);
    expect((await world.get('/token/')).status).toBe(404);
    while (world.admission.enter('127.0.0.1') === undefined);
    expect((await world.get('/token')).status).toBe(503);
    for (let i = 0; i < REQUESTS; i += 1) world.admission.leave('127.0.0.1');
    await expect.poll(() => world.served.map(({ status }) => status)).toEqual([201, 201, 404, 503]);
    expectRoom(world);
  });
});

describe('an unforeseen error', () => {
  const BUG = new TypeError('a bug');

  test('before the headers: 500, with the reason only in the log', async () => {
    await using world = await start({ reply: () => Promise.reject(BUG) });
    const { status, headers, body } = await world.get('/v2/');
    expect([status, headers['content-type']]).toEqual([500, 'application/json']);
    expect(body.toString()).toContain('"UNKNOWN"');
    expect(body.toString()).not.toContain('a bug');
    await expect.poll(() => world.served).toMatchObject([{ status: 500, outcome: 'error', error: BUG }]);
  });

  test('a header that cannot be sent: 500, and the reader is closed', async () => {
    const reader = new ScriptedReader(10);
    const body = { kind: 'blob', reader, start: 0, end: 10 } as const;
    await using world = await start({
      reply: () => Promise.resolve({ status: 200, headers: { 'Content-Type': 'a\nb' }, body }),
    });
    expect((await world.get('/v2/')).status).toBe(500);
    expect(reader.isClosed).toBe(true);
    await expect.poll(() => world.served).toMatchObject([{ status: 500, outcome: 'error' }]);
  });

  test('after the last byte: the answer was whole', async () => {
    const reader = new ScriptedReader(10);
    reader.close = () => Promise.reject(BUG);
    const body = { kind: 'blob', reader, start: 0, end: 10 } as const;
    await using world = await start({
      reply: () => Promise.resolve({ status: 200, headers: { 'Content-Length': 10 }, body }),
    });
    const answer = await world.get('/v2/');
    expect([answer.complete, answer.body]).toEqual([true, bytesOf(0, 10)]);
    await expect
      .poll(() => world.served)
      .toMatchObject([{ status: 200, bytes: 10, complete: true, error: BUG }]);
  });

  test('does not keep the next request from being served', async () => {
    let count = 0;
    const reply = (): Promise<Reply> => ((count += 1) === 1 ? Promise.reject(BUG) : Promise.resolve(EMPTY));
    await using world = await start({ reply });
    expect([(await world.get('/v2/')).status, (await world.get('/v2/')).status]).toEqual([500, 200]);
    await vi.waitFor(() => expectRoom(world));
  });
});
