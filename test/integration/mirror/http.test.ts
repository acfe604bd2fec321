import { once } from 'node:events';
import { connect } from 'node:net';
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { startMirror } from '../../support/mirror-fixture.ts';
import { instead, registryError, stallAfter, status } from '../../support/scripted-reply.ts';

const DIGEST = digestOf('x');

function codeOf(body: Buffer): unknown {
  return (JSON.parse(body.toString()) as { errors: [{ code: string }] }).errors[0].code;
}

/** The first of what is answered to `text`, which no client would send. */
async function spoken(url: URL, text: string): Promise<string> {
  const socket = connect(Number(url.port), '127.0.0.1');
  socket.write(text);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString();
}

describe('the ping', () => {
  test.each(['/v2/', '/v2', '/v2/?ns=evil.example', '/registry.test/v2/', '/v2/Registry.test/'])(
    '%s: 200 without asking upstream',
    async (path) => {
      await using registry = await startFakeRegistry();
      await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
      registry.down();
      const answer = await mirror.get(path);
      expect(answer.status).toBe(200);
      expect(answer.body.toString()).toBe('{}');
      expect(answer.headers['docker-distribution-api-version']).toBe('registry/2.0');
      expect(answer.headers['www-authenticate']).toBeUndefined();
      expect(registry.requests).toEqual([]);
    },
  );
});

describe('what is refused without asking any upstream', () => {
  test.each<[string, number, string]>([
    ['/v2/../../etc/passwd', 400, 'NAME_INVALID'],
    ['/v2/a/../b/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/a%2fb/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/a/%2e%2e/b/tags/list', 400, 'NAME_INVALID'],
    [`/v2/${'a'.repeat(300)}/tags/list`, 400, 'NAME_INVALID'],
    ['/v2/Acme/app/tags/list', 400, 'NAME_INVALID'],
    [`/v2/a/blobs/sha256:${'A'.repeat(64)}`, 400, 'DIGEST_INVALID'],
    ['/v2/a/manifests/sha256:short', 400, 'DIGEST_INVALID'],
    ['/v2/a/tags/list?n=-1', 400, 'PAGINATION_NUMBER_INVALID'],
    ['/v2/a/tags/list?n=1e9', 400, 'PAGINATION_NUMBER_INVALID'],
    ['/v2/_catalog?n=-1', 400, 'PAGINATION_NUMBER_INVALID'],
    ['/v2/a/tags/list?ns=evil.example', 404, 'NAME_UNKNOWN'],
    ['/v2/a/tags/list?ns=127.0.0.1%3A22', 404, 'NAME_UNKNOWN'],
    ['/v2/a/tags/list?ns=%0d%0aX-Injected:1', 404, 'NAME_UNKNOWN'],
    ['/evil.example/v2/a/tags/list', 404, 'NAME_UNKNOWN'],
    ['/v2/a/tags/list?n=1&n=2', 400, 'PAGINATION_NUMBER_INVALID'],
    ['/v2/a/tags/list?ns=registry.test&ns=evil.example', 400, 'NAME_INVALID'],
    ['/v2/a/manifests/latest?ns=registry.test&ns=registry.test', 400, 'NAME_INVALID'],
    ['/evil.example/v2/', 404, 'NAME_UNKNOWN'],
    ['/v2/evil.example/', 404, 'NAME_UNKNOWN'],
    ['/v2/foo/', 404, 'NAME_UNKNOWN'],
    ['/v2/_catalog/', 404, 'NAME_UNKNOWN'],
    ['/v2/a/tags/list/', 400, 'NAME_INVALID'],
    ['/v2/denied/app/tags/list', 403, 'DENIED'],
    ['/v2/a/unknown/endpoint', 404, 'NAME_UNKNOWN'],
  ])('%s: %i %s', async (path, status, code) => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({
      upstreams: [{ name: 'registry.test', registry, isAllowed: (name) => !name.startsWith('denied/') }],
    });
    const answer = await mirror.get(path);
    expect([answer.status, codeOf(answer.body)]).toEqual([status, code]);
    expect(answer.headers['content-type']).toBe('application/json');
    expect((await mirror.head(path)).status).toBe(status);
    expect(registry.requests).toEqual([]);
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s: 405 with Allow', async (method) => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const answer = await mirror.get('/v2/acme/app/blobs/uploads/', { method });
    expect([answer.status, codeOf(answer.body)]).toEqual([405, 'UNSUPPORTED']);
    expect(answer.headers.allow).toBe('GET, HEAD');
    expect(registry.requests).toEqual([]);
  });

  test.each(['/v2/', '/v2/acme/app/manifests/latest'])('%s with two Hosts: 400', async (path) => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    registry.putImage('acme/app', 'latest');
    expect((await mirror.get('/v2/acme/app/manifests/latest')).status).toBe(200);
    const host = mirror.url.host;
    const answer = await spoken(mirror.url, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nhost: ${host}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*"NAME_INVALID"/);
  });

  test('CONNECT: 405 with Allow, and the connection is closed', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const socket = connect({ port: Number(mirror.url.port), host: '127.0.0.1', allowHalfOpen: true });
    const closed = once(socket, 'end');
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.write('CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\nand more');
    await closed;
    socket.destroy();
    expect(answer).toMatch(/^HTTP\/1\.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n/);
    expect((await mirror.get('/v2/')).status).toBe(200);
  });

  test('what is not HTTP gets 400 and the connection is closed', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const socket = connect(Number(mirror.url.port), '127.0.0.1');
    socket.end('NONSENSE\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('outside the registry: 404 as text', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    for (const path of ['/', '/v1/_ping', '/favicon.ico']) expect((await mirror.get(path)).status).toBe(404);
  });
});

describe('headers', () => {
  test('ns is told where it selected the upstream, as the config writes it', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    registry.putImage('acme/app', 'latest');
    const path = '/v2/acme/app/manifests/latest';
    expect((await mirror.get(`${path}?ns=Registry.test`)).headers['oci-namespace']).toBe('registry.test');
    expect((await mirror.get(path)).headers['oci-namespace']).toBeUndefined();
    expect((await mirror.get(`${path}?ns=evil.example`)).headers['oci-namespace']).toBeUndefined();
  });

  test('upstream’s own headers are not passed on', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    registry.putImage('acme/app', 'latest');
    registry.fault({ kind: 'manifest' }, (reply) => ({
      ...reply,
      headers: { ...reply.headers, 'set-cookie': 'a=b', 'www-authenticate': 'Basic', 'ratelimit-limit': '1' },
    }));
    const { headers } = await mirror.get('/v2/acme/app/manifests/latest');
    expect(headers).not.toHaveProperty('set-cookie');
    expect(headers).not.toHaveProperty('www-authenticate');
    expect(headers).not.toHaveProperty('ratelimit-limit');
  });

  test('throttled and nothing cached: 429 to a direct client, 503 to one with other hosts, both with Retry-After', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const headers = { 'retry-after': '7' };
    registry.fault({}, instead(registryError(429, 'TOOMANYREQUESTS', { headers })));
    const direct = await mirror.get('/v2/acme/app/manifests/latest');
    expect([direct.status, direct.headers['retry-after']]).toEqual([429, '7']);
    const mirrored = await mirror.get('/v2/acme/app/manifests/latest?ns=registry.test');
    expect([mirrored.status, mirrored.headers['retry-after']]).toEqual([503, '7']);
  });

  test('one 429 on one manifest stops no other; three in a row do, no blob and no tag list, and tell nobody whose they were', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const headers = { 'retry-after': '7' };
    const { layers } = registry.putImage('acme/app', 'latest');
    const limited = { kind: 'manifest', repository: 'acme/secret' } as const;
    registry.fault(limited, instead(status(429, { headers, body: 'Too Many Requests' })));
    registry.putImage('acme/app', 'early');
    expect((await mirror.get('/v2/acme/secret/manifests/latest')).status).toBe(429);
    expect((await mirror.get('/v2/acme/app/manifests/early')).status).toBe(200);
    for (const tag of ['a', 'b', 'c']) await mirror.get(`/v2/acme/secret/manifests/${tag}`);
    for (const [query, expected] of [
      ['', 429],
      ['?ns=registry.test', 503],
    ] as const) {
      const other = await mirror.get(`/v2/acme/app/manifests/latest${query}`);
      expect([other.status, other.headers['retry-after']]).toEqual([expected, '7']);
      expect(JSON.parse(other.body.toString())).toEqual({
        errors: [
          {
            code: 'TOOMANYREQUESTS',
            message: 'registry.test: limits requests for manifests; asked again in 7 s',
          },
        ],
      });
    }
    expect((await mirror.get(`/v2/acme/app/blobs/${layers[0]?.digest}`)).status).toBe(200);
    expect((await mirror.get('/v2/acme/app/tags/list')).status).toBe(200);
    mirror.clock.advance(7_000);
    expect((await mirror.get('/v2/acme/app/manifests/latest')).status).toBe(200);
  });

  test('a day of Retry-After is told as a quarter of an hour, after which upstream is asked again', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    registry.fault({}, instead(status(429, { retryAfter: 86_400 })));
    const answer = await mirror.get('/v2/acme/app/manifests/latest');
    expect([answer.status, answer.headers['retry-after']]).toEqual([429, '900']);
  });

  test('If-None-Match with the manifest’s digest gets 304', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const image = registry.putImage('acme/app', 'latest');
    const headers = { 'if-none-match': `"${image.digest}"` };
    expect((await mirror.get('/v2/acme/app/manifests/latest', { headers })).status).toBe(304);
  });

  test('a client’s request id is kept if it is sane, else one is made', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const idFor = async (id: string): Promise<unknown> =>
      (await mirror.get('/v2/', { headers: { 'x-request-id': id } })).headers['x-request-id'];
    expect(await idFor('job-42')).toBe('job-42');
    expect(await idFor('a b')).toMatch(/^request-/);
    expect(await idFor('x'.repeat(65))).toMatch(/^request-/);
  });
});

describe('the reason phrase, which is all that dockerd, containerd, CRI and podman show of a 5xx', () => {
  test.each(['GET', 'HEAD'])('%s: which upstream failed, and how', async (method) => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    registry.down();
    const { statusCode, statusMessage } = await mirror.open('/v2/acme/app/manifests/1', { method });
    expect([statusCode, statusMessage]).toEqual([
      502,
      expect.stringMatching(/^registry\.test: .*connection lost/),
    ]);
  });

  test('what upstream says of it in other letters is one line of ASCII, and in the body without controls', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const message = `größer\r\nX-Injected: 1\u009b2J\u202e\u2028${'x'.repeat(500)}`;
    const body = JSON.stringify({ errors: [{ code: 'UNKNOWN', message }] });
    registry.fault({}, instead(status(500, { body })));
    const incoming = await mirror.open(`/v2/acme/app/blobs/${DIGEST}`);
    expect(incoming.statusMessage).toMatch(/^registry\.test: [ -~]{100,200}$/);
    expect(incoming.statusMessage?.length).toBeLessThanOrEqual(200);
    expect(incoming.headers).not.toHaveProperty('x-injected');
    const told = Buffer.concat((await incoming.toArray()) as Buffer[]).toString();
    expect(told).not.toMatch(/[\p{Cc}\p{Cf}\u2028]/u);
  });

  test('a 4xx has its own words', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    expect((await mirror.open('/v2/acme/app/manifests/1')).statusMessage).toBe('Not Found');
    expect((await mirror.open('/v2/')).statusMessage).toBe('OK');
  });
});

describe('the access log', () => {
  test('one line a request tells what was asked, how it was answered, and what was sent', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({
      upstreams: [{ name: 'docker.io', registry, addLibrary: true }],
    });
    const image = registry.putImage('library/debian', '12');
    const headers = { 'user-agent': 'docker/27', authorization: 'Basic c2VjcmV0' };
    await mirror.get('/v2/debian/manifests/12', { headers });
    await mirror.get('/v2/debian/manifests/12', { headers });
    await expect.poll(() => mirror.served.length).toBe(2);
    expect(mirror.served[1]).toMatchObject({
      client: '127.0.0.1',
      userAgent: 'docker/27',
      method: 'GET',
      url: '/v2/debian/manifests/12',
      requestKind: 'manifest',
      upstream: 'docker.io',
      repository: 'library/debian',
      reference: '12',
      outcome: 'hit',
      status: 200,
      bytes: image.bytes.length,
      complete: true,
    });
    expect(JSON.stringify(mirror.served)).not.toContain('c2VjcmV0');
  });

  test('a client that leaves in the middle is told as not complete', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const { digest } = registry.putBlob('acme/app', randomBytes(1_000_000));
    const stalled = stallAfter(100_000);
    registry.fault({ kind: 'blob' }, stalled);
    const incoming = await mirror.open(`/v2/acme/app/blobs/${digest}`);
    await once(incoming, 'data');
    incoming.destroy();
    await expect.poll(() => mirror.served.length).toBe(1);
    expect(mirror.served[0]).toMatchObject({ status: 200, complete: false });
    stalled.release();
  });
});

describe('drain', () => {
  test('a running pull finishes, and no new connection is accepted', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const content = randomBytes(1_000_000);
    const { digest } = registry.putBlob('acme/app', content);
    const stalled = stallAfter(100_000);
    registry.fault({ kind: 'blob' }, stalled);
    const pull = mirror.get(`/v2/acme/app/blobs/${digest}`);
    await stalled.reached;
    const drained = mirror.drain(30_000);
    await expect(mirror.get('/livez')).rejects.toThrow('ECONNREFUSED');
    stalled.release();
    expect((await pull).body.equals(content)).toBe(true);
    expect(await drained).toBe(0);
  });

  test('what has not finished within the limit is cut', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const { digest } = registry.putBlob('acme/app', randomBytes(1_000_000));
    const stalled = stallAfter(100_000);
    registry.fault({ kind: 'blob' }, stalled);
    const incoming = await mirror.open(`/v2/acme/app/blobs/${digest}`);
    const drained = mirror.drain(30_000);
    mirror.clock.advance(30_000);
    expect(await drained).toBe(1);
    await expect(incoming.toArray()).rejects.toThrow('aborted');
    stalled.release();
  });
});

test('liveness, readiness and what they mean', async () => {
  await using registry = await startFakeRegistry();
  await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
  registry.down();
  expect((await mirror.get('/livez')).status).toBe(200);
  expect((await mirror.get('/readyz')).status).toBe(200);
});

test('a percent-encoded colon in a digest is a colon', async () => {
  await using registry = await startFakeRegistry();
  await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
  expect((await mirror.get(`/v2/a/manifests/${DIGEST.replace(':', '%3A')}`)).status).toBe(404);
  expect(registry.requests.at(-1)?.path).toBe(`/v2/a/manifests/${DIGEST}`);
});
