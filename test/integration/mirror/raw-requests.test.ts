/** Requests that no client's library would send, as they are on the wire. */
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
}

async function start(name = 'registry.test'): Promise<World> {
  const registry = await startFakeRegistry();
  const mirror = await startMirror({ upstreams: [{ name, registry, hosts: ['k.mirror'] }] });
  return {
    registry,
    mirror,
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** Everything that is answered until the server closes the connection. */
async function answered({ mirror }: World, text: string): Promise<string> {
  const socket = connect({ port: Number(mirror.url.port), host: '127.0.0.1', allowHalfOpen: true });
  socket.write(Buffer.from(text, 'latin1'));
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of socket) chunks.push(chunk as Buffer);
  } catch {
    // Cut with something unread, which is an answer, too.
  }
  socket.destroy();
  return Buffer.concat(chunks).toString('latin1');
}

function bodyOf(answer: string): string {
  return answer.slice(answer.indexOf('\r\n\r\n') + 4);
}

function ask(world: World, target: string, headers = ''): Promise<string> {
  return answered(world, `GET ${target} HTTP/1.1\r\nHost: mirror\r\n${headers}Connection: close\r\n\r\n`);
}

describe('a path is routed as it was sent', () => {
  test.each([
    '/v2/../metrics',
    '/v2/../livez',
    '/v2/%2e%2e/readyz',
    '/v2/..%2fmetrics',
    '/v2/x/../../metrics',
    '/v2/..\\metrics',
    '/v2/..;/metrics',
    '/registry.test/v2/../../metrics',
    'http://mirror/v2/../metrics',
    'http://mirror/x/../metrics',
    'http://mirror\\metrics',
    'http://mirror#/metrics',
    '//v2/../metrics',
    '//metrics',
    '/%6detrics',
    '/metrics;x',
    '/metrics#',
    '/x/%2e%2e/metrics',
    '/.//metrics',
    'ftp://mirror/metrics',
    'mirror/metrics',
  ])('%s: 400 and an error document, or not HTTP', async (target) => {
    await using world = await start();
    const answer = await ask(world, target);
    expect(answer).toMatch(/^HTTP\/1\.1 (?:400 Bad Request|404 Not Found)\r\n/);
    // What Node itself cannot read gets no document.
    expect(bodyOf(answer)).toMatch(/^(?:|\{"errors":\[\{"code":"NAME_.*)$/);
    expect(world.registry.requests).toEqual([]);
  });

  test.each(['/metrics', '/livez', 'http://mirror/metrics', '/metrics?x=/../'])('%s: 200', async (target) => {
    await using world = await start();
    expect(await ask(world, target)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  test('OPTIONS *: 400', async () => {
    await using world = await start();
    const answer = await answered(world, 'OPTIONS * HTTP/1.1\r\nHost: mirror\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*"NAME_INVALID"/);
  });
});

describe('what is no HTTP/1', () => {
  test.each([
    ['HTTP/0.9', 'GET /v2/\r\n\r\n'],
    ['HTTP/0.9, for a page', 'GET /livez\r\n\r\n'],
    ['HTTP/0.9 by its number', 'GET /v2/ HTTP/0.9\r\n\r\n'],
    ['HTTP/2 as text', 'GET /v2/ HTTP/2.0\r\nHost: mirror\r\n\r\n'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('%s: 400, and the connection is closed', async (_, text) => {
    await using world = await start();
    expect(await answered(world, text)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  });
});

describe('where a request ends', () => {
  const LAST = 'GET /livez HTTP/1.1\r\nHost: mirror\r\nConnection: close\r\n\r\n';

  test.each([
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a coding that nobody knows', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['a length with a sign', 'Content-Length: +5\r\n\r\nhello'],
    ['a space before the colon', 'Content-Length : 5\r\n\r\nhello'],
    ['a folded line', 'X-A: 1\r\n Transfer-Encoding: chunked\r\n\r\n'],
    ['a bare CR', 'X-A: 1\rContent-Length: 5\r\n\r\nhello'],
    ['a NUL', 'X-A: \0\r\n\r\n'],
  ])('%s: 400, and nothing behind it is answered', async (_, rest) => {
    await using world = await start();
    const answer = await answered(world, `GET /v2/ HTTP/1.1\r\nHost: mirror\r\n${rest}${LAST}`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });

  test('a GET with a body, and one behind it: two answers in order', async () => {
    await using world = await start();
    const first =
      'GET /v2/ HTTP/1.1\r\nHost: mirror\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
    const answer = await answered(world, first + LAST);
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200']);
    expect(answer.indexOf('{}')).toBeLessThan(answer.indexOf('ok\n'));
  });
});

describe('requests that are sent before the first is answered', () => {
  const send = (world: World, count: number): Promise<string> =>
    answered(
      world,
      `${'GET /readyz HTTP/1.1\r\nHost: mirror\r\n\r\n'.repeat(count - 1)}GET /v2/ HTTP/1.1\r\nHost: mirror\r\nConnection: close\r\n\r\n`,
    );

  test('16: each is answered', async () => {
    await using world = await start();
    expect((await send(world, 16)).match(/HTTP\/1\.1 200 OK/g)).toHaveLength(16);
  });

  test('a thousand: the connection is closed, and the next one is served', async () => {
    await using world = await start();
    expect(await send(world, 1_000)).toBe('');
    await expect.poll(() => world.mirror.served.length).toBe(16);
    expect((await world.mirror.get('/v2/')).status).toBe(200);
  });
});

test('so many headers that some would not be read, a second Host or what a proxy has added: 431', async () => {
  await using world = await start();
  const text = `GET /v2/ HTTP/1.1\r\nHost: mirror\r\n${'a:1\r\n'.repeat(2_500)}Host: k.mirror\r\n\r\n`;
  expect(await answered(world, text)).toMatch(/^HTTP\/1\.1 431 /);
});

describe('a name in other letters', () => {
  const KELVIN = encodeURIComponent('\u212a');

  test.each([
    `/v2/acme/app/manifests/1?ns=${KELVIN}.test`,
    `/${KELVIN}.test/v2/acme/app/manifests/1`,
    `/v2/${KELVIN}.test/`,
    `/v2/acme/app/manifests/1?ns=${encodeURIComponent('\uff4b')}.test`,
  ])('%s: 404, there is no such upstream', async (path) => {
    await using world = await start('k.test');
    world.registry.putImage('acme/app', '1');
    const { status, body } = await world.mirror.get(path);
    expect([status, body.toString()]).toEqual([404, expect.stringContaining('NAME_UNKNOWN')]);
    expect(world.registry.requests).toEqual([]);
  });

  test.each([
    `/v2/acme/app/manifests/${encodeURIComponent('\u0661')}`,
    `/v2/acme/app/manifests/sha256:${encodeURIComponent('\u0661').repeat(64)}`,
    `/v2/acme/app/tags/list?n=${encodeURIComponent('\u0661')}`,
    `/v2/${encodeURIComponent('\uff41')}cme/app/tags/list`,
    `/v2/acme/app/manifests/sha256:${'a'.repeat(64)}%0a`,
    `/v2/acme/app/manifests/1%0a`,
  ])('%s: 400', async (path) => {
    await using world = await start('k.test');
    expect((await world.mirror.get(path)).status).toBe(400);
    expect(world.registry.requests).toEqual([]);
  });
});

describe('X-Content-Type-Options', () => {
  test.each([
    '/v2/',
    '/v2/acme/app/manifests/1',
    '/v2/acme/app/x',
    '/livez',
    '/readyz',
    '/metrics',
    '/x',
    '//',
  ])('of %s: nosniff', async (path) => {
    await using world = await start();
    world.registry.putImage('acme/app', '1');
    for (const asked of [1, 2]) {
      const { headers } = await world.mirror.get(path);
      expect([asked, headers['x-content-type-options']]).toEqual([asked, 'nosniff']);
    }
  });
});
