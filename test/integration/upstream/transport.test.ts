import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { createEvents } from '../../../src/events.ts';
import { createUpstream } from '../../../src/upstream/create-upstream.ts';
import { FakeNetwork } from '../../support/fake-network.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startForwardProxy } from '../../support/proxy.ts';
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
import {
  LAYER,
  LAYER_DIGEST,
  MANIFEST_DIGEST,
  manifestReply,
  readBlob,
  repo,
  tagged,
} from '../../support/upstream-content.ts';
import { TIMEOUTS, startUpstreamFixture } from '../../support/upstream-fixture.ts';

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

  test('silence inside a body, counted only while somebody reads', async () => {
    await using registry = await startUpstreamFixture(REGISTRY);
    const stall = stallAfter(1000);
    registry.on('GET', blobPath).reply(bytes(LAYER), stall);
    const { body } = await registry.upstream.blob(app, LAYER_DIGEST);
    const chunks = body[Symbol.asyncIterator]();
    let length = (await chunks.next()).value?.length ?? 0;
    while (length < 1000) length += (await chunks.next()).value?.length ?? 0;
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
      length += (await next).value?.length ?? 0;
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
    [403, 'denied'],
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
      proxy: new URL(proxy.url.href.replace('//', '//user:pw@')),
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
    await using registry = await startUpstreamFixture(REGISTRY, [], { proxy: proxy.url, scheme: 'http' });
    registry.on('GET', path).reply(manifestReply());
    expect((await registry.upstream.manifest(app, tagged('1'))).digest).toBe(MANIFEST_DIGEST);
    expect(proxy.log).toEqual([`GET ${registry.url(REGISTRY, path)}`]);
  });

  test('addresses inside are refused before the proxy is asked', async () => {
    await using proxy = await startForwardProxy();
    await using registry = await startUpstreamFixture(REGISTRY, [], { proxy: proxy.url });
    registry.on('GET', blobPath).reply(redirect(registry.url('169.254.169.254', '/latest/meta-data')));
    await expect(registry.upstream.blob(app, LAYER_DIGEST)).rejects.toMatchObject({
      reason: 'forbidden-address',
    });
    expect(proxy.log).toHaveLength(1);
  });

  test('a proxy that is not there', async () => {
    const proxy = await startForwardProxy();
    await proxy[Symbol.asyncDispose]();
    await using registry = await startUpstreamFixture(REGISTRY, [], { proxy: proxy.url });
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
