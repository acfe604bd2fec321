import { connect } from 'node:tls';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { LoopbackTraffic } from '../support/loopback-traffic.ts';
import { ManualClock } from '../support/manual-clock.ts';
import {
  bytes,
  cutAfter,
  flip,
  json,
  longBody,
  resetBeforeHeaders,
  shortBody,
  stallAfter,
  status,
} from '../support/scripted-reply.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';
import { drive } from '../support/settled.ts';
import { createCertificateAuthority } from '../support/tls.ts';

const content = Buffer.from('0123456789'.repeat(20_000));

test('an exchange answers as often as it may, in its state', async () => {
  await using upstream = await startScriptedUpstream();
  upstream
    .on('GET', '/a')
    .once()
    .moveTo('second')
    .reply(status(503, { retryAfter: 7 }));
  upstream
    .on('GET', '/a')
    .inState('second')
    .withQuery('n', '2')
    .reply(json({ ok: true }));
  const first = await fetch(new URL('/a?n=2', upstream.url));
  expect([first.status, first.headers.get('retry-after')]).toEqual([503, '7']);
  expect(await (await fetch(new URL('/a?n=2', upstream.url))).json()).toEqual({ ok: true });
  expect(upstream.count('GET', '/a')).toBe(2);
  upstream.assertDone();
});

test('an unexpected request is answered with 500 and fails the test', async () => {
  const upstream = await startScriptedUpstream();
  upstream.on('GET', '/b').once().reply(status(200));
  expect((await fetch(new URL('/a', upstream.url))).status).toBe(500);
  expect(() => upstream.assertDone()).toThrow('GET /b');
  await expect(upstream[Symbol.asyncDispose]()).rejects.toThrow('unexpected requests:\nGET /a');
});

test('faults change the body or cut the connection', async () => {
  await using upstream = await startScriptedUpstream();
  const get = async (path: string): Promise<Uint8Array> => (await fetch(new URL(path, upstream.url))).bytes();
  upstream.on('GET', '/flip').reply(bytes(content), flip(0));
  upstream.on('GET', '/short').reply(bytes(content), shortBody(3));
  upstream.on('GET', '/long').reply(bytes(content), longBody(3));
  upstream.on('GET', '/cut').reply(bytes(content), cutAfter(70_000));
  upstream.on('GET', '/reset').reply(bytes(content), resetBeforeHeaders());
  expect((await get('/flip')).length).toBe(content.length);
  expect(digestOf(await get('/flip'))).not.toBe(digestOf(content));
  expect((await get('/short')).length).toBe(content.length - 3);
  expect((await get('/long')).length).toBe(content.length + 3);
  await expect(get('/cut')).rejects.toThrow('terminated');
  expect(upstream.hitsOf('GET', '/cut')[0]?.bytesSent).toBe(70_000);
  await expect(get('/reset')).rejects.toThrow('fetch failed');
});

test('a stalled body goes on when the test says so', async () => {
  await using upstream = await startScriptedUpstream();
  const stall = stallAfter(1000);
  upstream.on('GET', '/a').reply(bytes(content), stall);
  const response = await fetch(new URL('/a', upstream.url));
  await stall.reached;
  expect(upstream.hits[0]?.bytesSent).toBe(1000);
  stall.release();
  expect((await response.bytes()).length).toBe(content.length);
});

test('a certificate of the authority is accepted for its names only', async () => {
  const authority = createCertificateAuthority();
  await using upstream = await startScriptedUpstream({ tls: authority.issue(['localhost', '127.0.0.1']) });
  const ca = authority.certificate;
  const socket = connect({ host: '127.0.0.1', port: upstream.port, ca, servername: 'localhost' });
  await once(socket, 'secureConnect');
  socket.destroy();
  const other = connect({ host: '127.0.0.1', port: upstream.port, ca, servername: 'other.example' });
  const [error] = (await once(other, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
});

test('the fake registry serves an image to those who have a token', async () => {
  await using registry = await startFakeRegistry({ auth: { kind: 'bearer' }, redirectBlobs: true });
  const image = registry.putImage('acme/app', '1', { layers: [content] });
  const path = `/v2/acme/app/blobs/${image.layers[0]?.digest}`;
  const refused = await fetch(new URL(path, registry.url));
  expect(refused.status).toBe(401);
  const scope = 'repository:acme/app:pull';
  const issued = await fetch(new URL(`/token?service=fake&scope=${scope}`, registry.url));
  const { token } = (await issued.json()) as { token: string };
  const headers = { authorization: `Bearer ${token}` };
  const unfault = registry.fault({ kind: 'storage' }, shortBody(1));
  const get = async (): Promise<number> =>
    (await (await fetch(new URL(path, registry.url), { headers })).bytes()).length;
  expect(await get()).toBe(content.length - 1);
  unfault();
  expect(await get()).toBe(content.length);
  expect(registry.count({ kind: 'storage' })).toBe(2);
  expect(registry.count({ kind: 'blob', digest: image.layers[0]!.digest })).toBe(3);
  registry.expireTokens();
  expect((await fetch(new URL(path, registry.url), { headers })).status).toBe(401);
});

test('the clock moves only once nothing else can happen, and no further than to the end', async () => {
  using traffic = new LoopbackTraffic();
  await using upstream = await startScriptedUpstream();
  upstream.on('GET', '/a').reply(bytes(content));
  const clock = new ManualClock();
  const seen: string[] = [];
  const wait = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));
  const work = async (): Promise<number> => {
    const response = await fetch(new URL('/a', upstream.url));
    const { length } = await response.bytes();
    seen.push(`fetched at ${clock.monotonic()}`);
    await wait(2_000);
    seen.push(`waited until ${clock.monotonic()}`);
    return length;
  };
  clock.after(1_000, () => seen.push(`timer at ${clock.monotonic()}`));
  clock.after(9_000, () => seen.push('too far'));
  expect(await drive({ clock, traffic, activity: () => seen.length }, work())).toEqual({
    value: content.length,
    tookMs: 2_000,
  });
  expect(seen).toEqual(['fetched at 0', 'timer at 1000', 'waited until 2000']);
});

test('what no clock will bring is not waited for', async () => {
  using traffic = new LoopbackTraffic();
  const never = new Promise<void>(() => undefined);
  await expect(drive({ clock: new ManualClock(), traffic, activity: () => 0 }, never)).rejects.toThrow(
    'no clock will bring',
  );
});
