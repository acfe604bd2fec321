import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { SecureContext } from 'node:tls';
import { describe, expect, test, vi } from 'vitest';
import { createEvents } from '../../../src/events.ts';
import { createUpstream } from '../../../src/upstream/create-upstream.ts';
import { CredentialError, type Credentials } from '../../../src/upstream/credentials/credentials.ts';
import type { UpstreamError } from '../../../src/upstream/error.ts';
import type { ProxyFor } from '../../../src/upstream/connections/proxy.ts';
import { systemContext, type CertificateFile } from '../../../src/upstream/connections/trust.ts';
import { FakeNetwork } from '../../support/fake-network.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startForwardProxy, through } from '../../support/proxy.ts';
import {
  bytes,
  challenged,
  json,
  neverRespond,
  redirect,
  registryError,
  resetBeforeHeaders,
  stallAfter,
  status,
} from '../../support/scripted-reply.ts';
import { createCertificateAuthority } from '../../support/tls.ts';
import {
  LAYER,
  LAYER_DIGEST,
  MANIFEST_DIGEST,
  manifestReply,
  readBlob,
  repo,
  tagged,
} from '../../support/upstream-content.ts';
import { TIMEOUTS, startUpstreamFixture, type UpstreamFixture } from '../../support/upstream-fixture.ts';

const REGISTRY = 'registry.example.com';
const AUTH = 'auth.example.com';
const CDN = 'cdn.example.net';
const app = repo('team/app');
const path = '/v2/team/app/manifests/1';
const blobPath = `/v2/team/app/blobs/${LAYER_DIGEST}`;

describe('deadlines', () => {
  test('no headers in time', async () => {
    await using registry = await startUpstreamFixture(REGISTRY);
    const held = neverRespond();
    registry.on('GET', path).reply(manifestReply(), held);
    const pull = registry.upstream.manifest(app, tagged('1'));
    await held.reached;
    registry.clock.advance(TIMEOUTS.connectMs + TIMEOUTS.headersMs - 1);
    registry.clock.advance(1);
    await expect(pull).rejects.toMatchObject({
      failure: 'unavailable',
      reason: 'timeout',
      status: undefined,
    });
    expect(registry.eventsOf('upstream-request')).toMatchObject([
      { method: 'GET', target: 'manifest', result: 'unavailable', durationMs: 3000 },
    ]);
  });

  test('no connection in time', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    // It accepts and says nothing: TLS does not come about.
    const { port } = server.address() as AddressInfo;
    const clock = new ManualClock();
    const upstream = createUpstream(
      { name: 'x', url: new URL(`https://${REGISTRY}:${port}`), timeouts: TIMEOUTS, userAgent: 'x' },
      { clock, events: createEvents(), network: new FakeNetwork().name(REGISTRY, '8.8.8.8') },
    );
    const connected = once(server, 'connection');
    const pull = upstream.manifest(app, tagged('1'));
    const [socket] = (await connected) as [{ destroy(): void }];
    clock.advance(TIMEOUTS.connectMs);
    await expect(pull).rejects.toMatchObject({ failure: 'unavailable', reason: 'timeout' });
    await upstream.close();
    socket.destroy();
    server.close();
    expect(clock.pending).toBe(0);
  });

  test('no connection free in time, since others hold them all: that is not upstream being late', async () => {
    await using registry = await startUpstreamFixture(REGISTRY, [], { connections: 1 });
    registry.on('GET', blobPath).reply(bytes(LAYER), stallAfter(10));
    const blob = await registry.upstream.blob(app, LAYER_DIGEST);
    const { set } = registry.clock;
    const late = registry.upstream.manifest(app, tagged('1'));
    await expect.poll(() => registry.clock.set).toBeGreaterThan(set);
    registry.clock.advance(TIMEOUTS.connectMs + TIMEOUTS.headersMs);
    await expect(late).rejects.toMatchObject({
      failure: 'unavailable',
      reason: 'busy',
      wasAsked: false,
      message: expect.stringContaining(`${REGISTRY}: not asked: all connections to ${REGISTRY}:`) as string,
    });
    registry.on('GET', path).reply(manifestReply());
    const next = registry.upstream.manifest(app, tagged('1'));
    blob.body.destroy();
    expect((await next).digest).toBe(MANIFEST_DIGEST);
  });

  test('no answer in time on the last connection: that is', async () => {
    await using registry = await startUpstreamFixture(REGISTRY, [], { connections: 1 });
    const held = neverRespond();
    registry.on('GET', path).reply(manifestReply(), held);
    const asked = registry.upstream.manifest(app, tagged('1'));
    await held.reached;
    registry.clock.advance(TIMEOUTS.connectMs + TIMEOUTS.headersMs);
    await expect(asked).rejects.toMatchObject({ reason: 'timeout', wasAsked: true });
  });

  test('silence inside a body, counted only while somebody reads', async () => {
    await using registry = await startUpstreamFixture(REGISTRY);
    const stall = stallAfter(1000);
    registry.on('GET', blobPath).reply(bytes(LAYER), stall);
    const { body } = await registry.upstream.blob(app, LAYER_DIGEST);
    const chunks = body[Symbol.asyncIterator]();
    let length = 0;
    while (length < 1000) length += Buffer.concat((await chunks.next()).value ?? []).length;
    registry.clock.advance(TIMEOUTS.bodyMs * 10);
    const next = chunks.next();
    registry.clock.advance(TIMEOUTS.bodyMs);
    await expect(next).rejects.toMatchObject({ failure: 'unavailable', reason: 'timeout' });
  });

  test('a body that keeps coming may take as long as it likes', async () => {
    await using registry = await startUpstreamFixture(REGISTRY);
    const stall = stallAfter(0);
    registry.on('GET', blobPath).reply(bytes(LAYER), stall);
    const { body } = await registry.upstream.blob(app, LAYER_DIGEST);
    const chunks = body[Symbol.asyncIterator]();
    let length = 0;
    while (length < LAYER.length) {
      const next = chunks.next();
      registry.clock.advance(TIMEOUTS.bodyMs - 1);
      stall.allow(50_000);
      length += Buffer.concat((await next).value ?? []).length;
    }
    expect((await chunks.next()).done).toBe(true);
  });

  test('a manifest that drips is due when its headers were', async () => {
    await using registry = await startUpstreamFixture(REGISTRY);
    const { clock, upstream } = registry;
    const stall = stallAfter(0);
    registry.on('GET', path).reply(manifestReply(), stall);
    const pull = upstream.manifest(app, tagged('1'));
    const ended = pull.then(
      () => 'whole',
      (error: unknown) => error,
    );
    await stall.reached;
    const limitMs = TIMEOUTS.connectMs + TIMEOUTS.headersMs;
    await vi.waitUntil(() => clock.pending === 2);
    for (let ms = 0; ms < limitMs; ms += 1000) {
      stall.allow(1);
      clock.advance(1000);
    }
    await expect(ended).resolves.toMatchObject({ failure: 'unavailable', reason: 'timeout' });
  });

  test('a caller that gives up while the name is being resolved', async () => {
    await using registry = await startUpstreamFixture(REGISTRY);
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<readonly string[]>();
    registry.network.resolve = () => {
      asked.resolve();
      return answer.promise;
    };
    const abort = new AbortController();
    const pull = registry.upstream.manifest(app, tagged('1'), { signal: abort.signal });
    await asked.promise;
    abort.abort();
    await expect(pull).rejects.toMatchObject({ failure: 'unavailable', reason: 'cancelled' });
    answer.reject(new Error('too late to matter'));
    await vi.waitUntil(() => registry.clock.pending === 0);
  });

  test('the end of the client while the name is being resolved', async () => {
    await using registry = await startUpstreamFixture(REGISTRY);
    const asked = Promise.withResolvers<void>();
    registry.network.resolve = () => {
      asked.resolve();
      return new Promise(() => {});
    };
    const pull = registry.upstream.manifest(app, tagged('1'));
    await asked.promise;
    await Promise.all([
      expect(pull).rejects.toMatchObject({ failure: 'unavailable' }),
      registry.upstream.close(),
    ]);
    // Disposing finds what is left of it.
  });

  test('a caller that gives up before it asks, while it waits for headers, and for bytes', async () => {
    await using registry = await startUpstreamFixture(REGISTRY);
    const cancelled = { failure: 'unavailable', reason: 'cancelled' };
    const aborted = AbortSignal.abort();
    await expect(registry.upstream.manifest(app, tagged('1'), { signal: aborted })).rejects.toMatchObject(
      cancelled,
    );

    const abort = new AbortController();
    const held = neverRespond();
    registry.on('GET', path).reply(manifestReply(), held);
    const pull = registry.upstream.manifest(app, tagged('1'), { signal: abort.signal });
    await held.reached;
    abort.abort();
    await expect(pull).rejects.toMatchObject(cancelled);

    const body = new AbortController();
    const stall = stallAfter(1000);
    registry.on('GET', blobPath).reply(bytes(LAYER), stall);
    const blob = await registry.upstream.blob(app, LAYER_DIGEST, { signal: body.signal });
    const reading = readBlob(blob);
    await stall.reached;
    body.abort();
    await expect(reading).rejects.toMatchObject(cancelled);
  });
});

/** undici gives a connection to the next request only in a later turn of the event loop. */
async function untilFree(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
}

describe('connections that fail', () => {
  test('refused', async () => {
    const registry = await startUpstreamFixture(REGISTRY);
    await registry.script.close();
    await expect(registry.upstream.manifest(app, tagged('1'))).rejects.toMatchObject({
      failure: 'unavailable',
      reason: 'refused',
      message: `${REGISTRY}: ${REGISTRY}:${registry.script.port}: connection refused (ECONNREFUSED)`,
    });
    await registry.upstream.close();
  });

  test('a name that does not resolve', async () => {
    await using registry = await startUpstreamFixture(REGISTRY);
    registry.on('GET', blobPath).reply(redirect('https://nowhere.example.com/blob'));
    await expect(registry.upstream.blob(app, LAYER_DIGEST)).rejects.toMatchObject({ reason: 'dns' });
  });

  test('reset', async () => {
    await using registry = await startUpstreamFixture(REGISTRY);
    registry.on('GET', path).once().reply(manifestReply(), resetBeforeHeaders());
    await expect(registry.upstream.manifest(app, tagged('1'))).rejects.toMatchObject({ reason: 'reset' });
  });

  test('a kept connection that upstream closes under the next request costs nobody anything', async () => {
    await using registry = await startUpstreamFixture(REGISTRY);
    registry.on('GET', path).once().reply(manifestReply());
    registry.on('GET', path).once().reply(manifestReply(), resetBeforeHeaders());
    registry.on('GET', path).once().reply(manifestReply());
    for (let i = 0; i < 2; i += 1) {
      expect((await registry.upstream.manifest(app, tagged('1'))).digest).toBe(MANIFEST_DIGEST);
      await untilFree();
    }
    expect(registry.network.dialled).toHaveLength(2);
    expect(registry.eventsOf('upstream-request').map(({ result }) => result)).toEqual(['ok', 'ok']);
  });

  test('nor does it when all kept connections have gone at once', async () => {
    await using registry = await startUpstreamFixture(REGISTRY);
    const held = neverRespond();
    registry.on('GET', path).times(3).reply(manifestReply(), held);
    const pulls = (): Promise<unknown> =>
      Promise.all([1, 2, 3].map(() => registry.upstream.manifest(app, tagged('1'))));
    const first = pulls();
    await vi.waitUntil(() => registry.script.hits.length === 3);
    held.release();
    await first;
    await untilFree();
    registry.on('GET', path).times(3).reply(manifestReply(), resetBeforeHeaders());
    registry.on('GET', path).times(3).reply(manifestReply());
    await pulls();
    expect(registry.script.hits).toHaveLength(9);
  });

  test('nor for HEAD and for a blob, through a proxy too', async () => {
    await using proxy = await startForwardProxy();
    await using registry = await startUpstreamFixture(REGISTRY, [], { proxyFor: through(proxy.url) });
    registry.on('GET', path).times(2).reply(manifestReply());
    await registry.upstream.manifest(app, tagged('1'));
    await untilFree();
    registry.on('HEAD', path).once().reply(manifestReply(), resetBeforeHeaders());
    registry.on('HEAD', path).once().reply(manifestReply());
    expect((await registry.upstream.resolve(app, tagged('1')))?.digest).toBe(MANIFEST_DIGEST);
    await registry.upstream.manifest(app, tagged('1'));
    await untilFree();
    registry.on('GET', blobPath).once().reply(bytes(LAYER), resetBeforeHeaders());
    registry.on('GET', blobPath).once().reply(bytes(LAYER));
    const pull = registry.upstream.blob(app, LAYER_DIGEST);
    expect(await readBlob(await pull)).toHaveLength(LAYER.length);
  });

  test('nor for a token', async () => {
    await using registry = await startUpstreamFixture(REGISTRY, [AUTH]);
    const challenge = challenged(`Bearer realm="${registry.url(AUTH, '/t')}",service="s"`);
    registry
      .on('GET', /manifests/)
      .withHeader('authorization', undefined)
      .reply(challenge);
    registry
      .on('GET', '/t')
      .once()
      .reply(json({ token: 'one' }));
    registry
      .on('GET', '/t')
      .once()
      .reply(json({ token: 'lost' }), resetBeforeHeaders());
    registry
      .on('GET', '/t')
      .once()
      .reply(json({ token: 'two' }));
    registry.on('GET', path).withHeader('authorization', 'Bearer one').reply(manifestReply());
    const other = '/v2/team/other/manifests/1';
    registry.on('GET', other).withHeader('authorization', 'Bearer two').reply(manifestReply());
    for (const name of [app, repo('team/other')]) {
      expect((await registry.upstream.manifest(name, tagged('1'))).digest).toBe(MANIFEST_DIGEST);
      await untilFree();
    }
  });

  test('a request is sent once more, not again and again', async () => {
    await using registry = await startUpstreamFixture(REGISTRY);
    registry.on('GET', path).once().reply(manifestReply());
    registry.on('GET', path).times(2).reply(manifestReply(), resetBeforeHeaders());
    await registry.upstream.manifest(app, tagged('1'));
    await untilFree();
    await expect(registry.upstream.manifest(app, tagged('1'))).rejects.toMatchObject({ reason: 'reset' });
    expect(registry.eventsOf('upstream-request')).toHaveLength(2);
  });

  test('a token asked for by POST is asked for once: it may have been given', async () => {
    await using registry = await startUpstreamFixture(REGISTRY, [], {
      credentials: {
        get: () => Promise.resolve({ kind: 'identity-token', token: 'id' }),
        invalidate: () => undefined,
      },
    });
    registry.on('GET', path).reply(challenged(`Bearer realm="${registry.url(REGISTRY, '/t')}",service="s"`));
    registry
      .on('POST', '/t')
      .once()
      .reply(json({ token: 'one' }), resetBeforeHeaders());
    await expect(registry.upstream.manifest(app, tagged('1'))).rejects.toMatchObject({ reason: 'reset' });
    expect(registry.script.count('POST')).toBe(1);
  });

  test.each([
    ['ends', '', 3],
    ['ends inside the headers', 'HTTP/1.1 200 OK\r\nContent-Le', 3],
    ['says what is not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 2],
    ['ends inside the body', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbytes', 2],
  ])('a kept connection that %s', async (_, beginning, expected) => {
    let requests = 0;
    const ok = `HTTP/1.1 200 OK\r\nContent-Length: ${LAYER.length}\r\n\r\n`;
    const server = createServer((socket) => {
      socket
        .on('error', () => undefined)
        .on('data', () => {
          requests += 1;
          if (requests === 2) socket.end(beginning);
          else socket.write(Buffer.concat([Buffer.from(ok), LAYER]));
        });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const upstream = createUpstream(
      { name: 'x', url: new URL(`http://127.0.0.1:${port}`), timeouts: TIMEOUTS, userAgent: 'x' },
      { clock: new ManualClock(), events: createEvents() },
    );
    const pull = async (): Promise<Uint8Array> => readBlob(await upstream.blob(app, LAYER_DIGEST));
    await pull();
    await untilFree();
    const failure = await pull().then(
      () => undefined,
      (error: unknown) => (error as UpstreamError).failure,
    );
    expect([requests, failure]).toEqual([expected, expected === 3 ? undefined : 'unavailable']);
    await upstream.close();
    server.close();
  });

  test('not HTTP', async () => {
    const server = createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const upstream = createUpstream(
      { name: 'x', url: new URL(`http://127.0.0.1:${port}`), timeouts: TIMEOUTS, userAgent: 'x' },
      { clock: new ManualClock(), events: createEvents() },
    );
    await expect(upstream.manifest(app, tagged('1'))).rejects.toMatchObject({ reason: 'content' });
    await upstream.close();
    server.close();
  });

  test.each([
    [500, 'unavailable'],
    [502, 'unavailable'],
    [503, 'unavailable'],
    [404, 'absent'],
    [403, 'unavailable'],
  ])('%i is %s, with its status and its wait', async (code, failure) => {
    await using registry = await startUpstreamFixture(REGISTRY);
    registry
      .on('GET', path)
      .once()
      .reply(status(code, { retryAfter: 30, body: 'x'.repeat(1_000_000) }));
    registry.on('GET', path).once().reply(manifestReply());
    const pull = registry.upstream.manifest(app, tagged('1'));
    await expect(pull).rejects.toMatchObject({ failure, status: code, retryAfterMs: 30_000 });
    expect((await registry.upstream.manifest(app, tagged('1'))).digest).toBe(MANIFEST_DIGEST);
  });

  test('an error that stalls inside its body is an error all the same', async () => {
    await using registry = await startUpstreamFixture(REGISTRY);
    const stall = stallAfter(5);
    registry.on('GET', path).reply(registryError(404, 'MANIFEST_UNKNOWN'), stall);
    const pull = registry.upstream.manifest(app, tagged('1'));
    await stall.reached;
    // The deadline of the error's body, and the one of each of its chunks.
    await vi.waitUntil(() => registry.clock.pending === 2);
    registry.clock.advance(TIMEOUTS.bodyMs);
    await expect(pull).rejects.toMatchObject({ failure: 'absent', status: 404 });
  });
});

describe('TLS', () => {
  test("an authority of one's own counts for the registry, its token endpoint and its redirects", async () => {
    await using registry = await startUpstreamFixture(REGISTRY, [AUTH, CDN]);
    const challenge = `Bearer realm="${registry.url(AUTH, '/token')}"`;
    registry
      .on('GET', '/token')
      .at(AUTH)
      .reply(json({ token: 't' }));
    registry.on('GET', blobPath).withHeader('authorization', undefined).reply(challenged(challenge));
    registry
      .on('GET', blobPath)
      .withHeader('authorization', 'Bearer t')
      .reply(redirect(registry.url(CDN, '/blob')));
    registry.on('GET', '/blob').at(CDN).reply(bytes(LAYER));
    expect(await readBlob(await registry.upstream.blob(app, LAYER_DIGEST))).toHaveLength(LAYER.length);
  });

  test('without it there is no connection', async () => {
    await using registry = await startUpstreamFixture(REGISTRY, [], { ca: undefined });
    const pull = registry.upstream.manifest(app, tagged('1'));
    await expect(pull).rejects.toMatchObject({ failure: 'unavailable', reason: 'tls' });
  });

  test('a certificate for another name is not taken', async () => {
    await using registry = await startUpstreamFixture(REGISTRY);
    registry.network.name('other.example.com', '8.8.8.8');
    registry.on('GET', blobPath).reply(redirect(registry.url('other.example.com', '/blob')));
    await expect(registry.upstream.blob(app, LAYER_DIGEST)).rejects.toMatchObject({ reason: 'tls' });
  });

  test('all connections trust by one context, to the registry, its token endpoint and its redirects', async () => {
    let made = 0;
    const makeContext = (ca: string | undefined): SecureContext => {
      made += 1;
      return systemContext(ca);
    };
    await using registry = await startUpstreamFixture(REGISTRY, [AUTH, CDN], { makeContext });
    const challenge = `Bearer realm="${registry.url(AUTH, '/token')}"`;
    registry.on('GET', '/token').reply(json({ token: 't' }));
    registry.on('GET', blobPath).withHeader('authorization', undefined).reply(challenged(challenge));
    registry.on('GET', blobPath).reply(redirect(registry.url(CDN, '/blob')));
    const held = neverRespond();
    registry.on('GET', '/blob').reply(bytes(LAYER), held);
    const pulls = [1, 2, 3].map(async () => readBlob(await registry.upstream.blob(app, LAYER_DIGEST)));
    await held.reached;
    held.release();
    await Promise.all(pulls);
    expect(new Set(registry.script.hits.map(({ headers }) => headers.host)).size).toBe(3);
    expect(registry.network.dialled.length).toBeGreaterThan(3);
    expect(made).toBe(1);
  });

  test.each([['straight'], ['through a proxy']])(
    'an authority that is renewed counts without a restart, %s',
    async (way) => {
      await using proxy = await startForwardProxy();
      const authority = createCertificateAuthority();
      const former = createCertificateAuthority('Former Authority').certificate;
      const file = { content: former };
      const caFile: CertificateFile = {
        version: () => Promise.resolve(file.content),
        read: () => Promise.resolve(file.content),
      };
      const proxied = way === 'straight' ? {} : { proxyFor: through(proxy.url) };
      const options = { authority, ca: former, caFile, ...proxied };
      await using registry = await startUpstreamFixture(REGISTRY, [], options);
      const pull = (): Promise<unknown> => registry.upstream.manifest(app, tagged('1'));
      await expect(pull()).rejects.toMatchObject({ reason: 'tls' });
      registry.on('GET', path).reply(manifestReply());
      file.content = authority.certificate;
      registry.clock.advance(5_000);
      await expect(pull()).resolves.toMatchObject({ digest: MANIFEST_DIGEST });
      file.content = former;
      registry.clock.advance(5_000);
      await registry.script.closeConnections();
      await expect(pull()).rejects.toMatchObject({ reason: 'tls' });
    },
  );

  test('https where only http is spoken', async () => {
    await using registry = await startUpstreamFixture(REGISTRY, [], { scheme: 'http' });
    registry.on('GET', blobPath).reply(redirect(registry.url(REGISTRY, '/blob').replace('http:', 'https:')));
    await expect(registry.upstream.blob(app, LAYER_DIGEST)).rejects.toMatchObject({ reason: 'tls' });
  });
});

describe('through a proxy', () => {
  test('https goes through a tunnel, to the registry and to what it redirects to, with our authority', async () => {
    await using proxy = await startForwardProxy();
    await using registry = await startUpstreamFixture(REGISTRY, [CDN], {
      proxyFor: through(proxy.url, { kind: 'password', username: 'user', password: 'pw' }),
    });
    registry
      .on('GET', blobPath)
      .withHeader('proxy-authorization', undefined)
      .reply(redirect(registry.url(CDN, '/b')));
    registry.on('GET', '/b').at(CDN).withHeader('proxy-authorization', undefined).reply(bytes(LAYER));
    expect(await readBlob(await registry.upstream.blob(app, LAYER_DIGEST))).toHaveLength(LAYER.length);
    const { port } = registry.script;
    const credentials = `Basic ${Buffer.from('user:pw').toString('base64')}`;
    expect(proxy.log).toEqual([
      `CONNECT ${REGISTRY}:${port} ${credentials}`,
      `CONNECT ${CDN}:${port} ${credentials}`,
    ]);
    expect(registry.network.dialled).toEqual([]);
  });

  test('http goes as an absolute request', async () => {
    await using proxy = await startForwardProxy();
    await using registry = await startUpstreamFixture(REGISTRY, [], {
      proxyFor: through(proxy.url),
      scheme: 'http',
    });
    registry.on('GET', path).reply(manifestReply());
    expect((await registry.upstream.manifest(app, tagged('1'))).digest).toBe(MANIFEST_DIGEST);
    expect(proxy.log).toEqual([`GET ${registry.url(REGISTRY, path)}`]);
  });

  test.each<[string, (registry: UpstreamFixture) => string]>([
    ['a private address', (registry) => registry.url('10.0.0.1', '/blob')],
    ['a private IPv6 address', (registry) => registry.url('[fd00::1]', '/blob')],
    ['this machine', (registry) => registry.url('localhost', '/blob')],
    ['this machine by another way to write it', (registry) => registry.url('0x7f.1', '/blob')],
  ])('no redirect and no realm leads to %s', async (_, urlOf) => {
    await using proxy = await startForwardProxy();
    await using registry = await startUpstreamFixture(REGISTRY, [], { proxyFor: through(proxy.url) });
    const refused = { failure: 'unavailable', reason: 'forbidden-address' };
    registry.on('GET', blobPath).reply(redirect(urlOf(registry)));
    await expect(registry.upstream.blob(app, LAYER_DIGEST)).rejects.toMatchObject(refused);
    registry.on('GET', path).reply(challenged(`Bearer realm="${urlOf(registry)}"`));
    await expect(registry.upstream.manifest(app, tagged('1'))).rejects.toMatchObject(refused);
    expect(new Set(proxy.log)).toEqual(new Set([`CONNECT ${REGISTRY}:${registry.script.port}`]));
  });

  test('each host by its own way', async () => {
    await using proxy = await startForwardProxy();
    const proxyFor: ProxyFor = ({ hostname }) => (hostname === CDN ? { url: proxy.url } : undefined);
    await using registry = await startUpstreamFixture(REGISTRY, [CDN], { proxyFor });
    registry.on('GET', blobPath).reply(redirect(registry.url(CDN, '/b')));
    registry.on('GET', '/b').at(CDN).reply(bytes(LAYER));
    expect(await readBlob(await registry.upstream.blob(app, LAYER_DIGEST))).toHaveLength(LAYER.length);
    expect(proxy.log).toEqual([`CONNECT ${CDN}:${registry.script.port}`]);
    expect(registry.network.dialled).toHaveLength(1);
  });

  test.each(['https', 'http'] as const)(
    'an account that is changed counts from then on, by %s',
    async (scheme) => {
      await using proxy = await startForwardProxy({ password: 'new' });
      let password = 'old';
      const account = (): Credentials => ({ kind: 'password', username: 'me', password });
      const credentials = { get: () => Promise.resolve(account()), invalidate: () => undefined };
      const proxyFor: ProxyFor = () => ({ url: proxy.url, credentials });
      await using registry = await startUpstreamFixture(REGISTRY, [], { proxyFor, scheme });
      registry.on('GET', path).reply(manifestReply());
      const pull = (): Promise<unknown> => registry.upstream.manifest(app, tagged('1'));
      await expect(pull()).rejects.toMatchObject({
        failure: 'unavailable',
        message: expect.stringContaining('the proxy answered 407, look at its account') as unknown,
      });
      password = 'new';
      await expect(pull()).resolves.toMatchObject({ digest: MANIFEST_DIGEST });
      expect(registry.script.hits.some(({ headers }) => 'proxy-authorization' in headers)).toBe(false);
    },
  );

  test('an account that cannot be read', async () => {
    const get = (): Promise<never> => Promise.reject(new CredentialError('/run/password is empty'));
    const proxyFor: ProxyFor = () => ({
      url: new URL('http://proxy.test:3128'),
      credentials: { get, invalidate: () => undefined },
    });
    await using registry = await startUpstreamFixture(REGISTRY, [], { proxyFor });
    await expect(registry.upstream.manifest(app, tagged('1'))).rejects.toMatchObject({
      reason: 'credentials',
      wasAsked: false,
      message: `${REGISTRY}: of the proxy proxy.test:3128: /run/password is empty`,
    });
  });

  test('addresses inside are refused before the proxy is asked', async () => {
    await using proxy = await startForwardProxy();
    await using registry = await startUpstreamFixture(REGISTRY, [], { proxyFor: through(proxy.url) });
    registry.on('GET', blobPath).reply(redirect(registry.url('169.254.169.254', '/latest/meta-data')));
    await expect(registry.upstream.blob(app, LAYER_DIGEST)).rejects.toMatchObject({
      reason: 'forbidden-address',
    });
    expect(proxy.log).toHaveLength(1);
  });

  test('a proxy that is not there', async () => {
    const proxy = await startForwardProxy();
    await proxy[Symbol.asyncDispose]();
    await using registry = await startUpstreamFixture(REGISTRY, [], { proxyFor: through(proxy.url) });
    await expect(registry.upstream.manifest(app, tagged('1'))).rejects.toMatchObject({ reason: 'refused' });
  });
});

test('a body that nobody reads does no harm', async () => {
  await using registry = await startUpstreamFixture(REGISTRY);
  const stall = stallAfter(1000);
  registry.on('GET', blobPath).reply(bytes(LAYER), stall);
  const { body } = await registry.upstream.blob(app, LAYER_DIGEST);
  await stall.reached;
  body.destroy(new Error('not needed'));
  await expect(readBlob({ body, start: 0, size: undefined })).rejects.toMatchObject({
    failure: 'unavailable',
  });
});
