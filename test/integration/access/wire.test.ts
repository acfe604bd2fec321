import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessWorld, as, GHCR_HOST, type AccessWorld, type Client } from '../../support/access-world.ts';
import type { ReceivedAnswer } from '../../support/http-get.ts';

let world: AccessWorld;

beforeAll(async () => {
  world = await accessWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

function codeOf({ body }: ReceivedAnswer): unknown {
  return (JSON.parse(body.toString()) as { errors: { code: string }[] }).errors[0]?.code;
}

describe('the answer to each failure', () => {
  test.each<[Client, number, string, string | undefined]>([
    ['anonymous', 401, 'UNAUTHORIZED', ''],
    ['wrong', 401, 'UNAUTHORIZED', ',error="invalid_token"'],
    ['expired', 401, 'UNAUTHORIZED', ',error="invalid_token"'],
    ['for-debian', 401, 'UNAUTHORIZED', ',error="insufficient_scope"'],
    ['anonymous-for-debian', 401, 'UNAUTHORIZED', ''],
    ['bob', 404, 'NAME_UNKNOWN', undefined],
    ['throttled', 429, 'TOOMANYREQUESTS', undefined],
    ['unavailable', 503, 'UNAVAILABLE', undefined],
  ])('%s: %i %s', async (client, status, code, error) => {
    const { mirror } = world;
    const answer = await mirror.get('/v2/acme/app/manifests/1?ns=ghcr.io', { headers: as(client) });
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    const { 'cache-control': cacheControl, 'www-authenticate': challenge } = answer.headers;
    expect(cacheControl).toBe('no-store');
    expect(challenge).toBe(
      error === undefined
        ? undefined
        : `Bearer realm="${mirror.url.origin}/token?ns=ghcr.io",service="larder",scope="repository:acme/app:pull"${error}`,
    );
    expect(answer.headers['retry-after']).toBe(client === 'throttled' ? '7' : undefined);
    expect(answer.headers['oci-namespace']).toBeUndefined();
  });
});

describe('the challenge says where the registry of the name was chosen', () => {
  test.each<[string, string, { Host?: string; Authorization?: string }, string, string | undefined]>([
    ['ns', '/v2/acme/app/tags/list?ns=ghcr.io', {}, '?ns=ghcr.io', 'repository:acme/app:pull'],
    ['a prefix', '/ghcr.io/v2/acme/app/tags/list', {}, '?ns=ghcr.io', 'repository:acme/app:pull'],
    ['Host', '/v2/acme/app/tags/list', { Host: GHCR_HOST }, '?ns=ghcr.io', 'repository:acme/app:pull'],
    ['the name', '/v2/ghcr.io/acme/app/tags/list', {}, '', 'repository:ghcr.io/acme/app:pull'],
    ['an unknown ns', '/v2/acme/app/tags/list?ns=quay.io', {}, '?ns=quay.io', 'repository:acme/app:pull'],
    ['a bad name', '/v2/Acme/App/tags/list', {}, '', 'repository:Acme/App:pull'],
    ['a catalog', '/v2/_catalog?ns=quay.io', as('wrong'), '?ns=quay.io', 'registry:catalog:*'],
    ['the ping of all', '/v2/', {}, '', undefined],
    ['the ping of one', '/ghcr.io/v2/', {}, '?ns=ghcr.io', undefined],
    ['no endpoint', '/v2/acme/app/uploads/', {}, '', undefined],
  ])('%s', async (_, path, headers, query, scope) => {
    await using named = await accessWorld({ publicUrl: new URL('https://mirror.example.com/') });
    const answer = await named.mirror.get(path, { headers });
    expect(answer.status).toBe(401);
    const challenge = answer.headers['www-authenticate'] ?? '';
    expect(challenge).toContain(`realm="https://mirror.example.com/token${query}"`);
    expect(/scope="([^"]*)"/.exec(challenge)?.[1]).toBe(scope);
  });
});

describe('the ping', () => {
  test.each<[string, string, Record<string, string>, Client, number]>([
    ['of all registries', '/v2/', {}, 'anonymous', 401],
    ['of all registries, without the slash', '/v2', {}, 'anonymous', 401],
    ['of all registries', '/v2/', {}, 'bob', 200],
    ['of an open registry', '/docker.io/v2/', {}, 'anonymous', 200],
    ['of an open registry, behind /v2/', '/v2/docker.io/', {}, 'anonymous', 200],
    ['of an open registry', '/docker.io/v2/', {}, 'wrong', 401],
    ['of a closed registry', '/ghcr.io/v2/', {}, 'anonymous', 401],
    ['of a closed registry', '/ghcr.io/v2/', {}, 'bob', 200],
    ['of a closed registry, by Host', '/v2/', { Host: GHCR_HOST }, 'anonymous', 401],
    ['of a closed registry, by Host', '/v2/', { Host: GHCR_HOST }, 'alice', 200],
    ['of an unknown registry', '/quay.io/v2/', {}, 'anonymous', 401],
    ['of an unknown registry', '/quay.io/v2/', {}, 'bob', 404],
  ])('%s: %s %o as %s: %i', async (_, path, headers, client, status) => {
    expect((await world.mirror.get(path, { headers: { ...headers, ...as(client) } })).status).toBe(status);
  });

  test('of all registries needs no credentials where all may pull everything', async () => {
    await using open = await accessWorld({
      rules: [{ repositories: ['**'], who: [{ kind: 'anonymous' }], allow: ['pull'] }],
    });
    expect((await open.mirror.get('/v2/')).status).toBe(200);
  });
});

describe('a request that means nothing', () => {
  const PATHS = [
    '/v2/acme/app/manifests/1?ns=quay.io',
    '/quay.io/v2/acme/app/tags/list',
    '/v2/Acme/App/tags/list',
    '/ghcr.io/v2/secret/app/tags/list',
    '/v2/acme/app/manifests/not%20a%20tag',
    '/v2/acme/app',
    '/v2/acme/app/blobs/sha256:short',
  ];

  test.each(PATHS)('%s is told from a closed one to no anonymous client', async (path) => {
    const answer = await world.mirror.get(path);
    expect([answer.status, codeOf(answer)]).toEqual([401, 'UNAUTHORIZED']);
  });

  test.each(PATHS)('%s is never 403 for a user', async (path) => {
    expect([400, 404]).toContain((await world.mirror.get(path, { headers: as('bob') })).status);
  });

  test('is told as ever where everything is open', async () => {
    await using open = await accessWorld({
      rules: [{ repositories: ['**'], who: [{ kind: 'anonymous' }], allow: ['pull', 'tags'] }],
    });
    const statuses = await Promise.all(PATHS.map(async (path) => (await open.mirror.get(path)).status));
    expect(statuses).toEqual([404, 404, 400, 403, 400, 404, 400]);
  });

  test('a write is refused as ever', async () => {
    const answer = await world.mirror.get('/v2/acme/app/manifests/1', { method: 'PUT' });
    expect([answer.status, codeOf(answer)]).toEqual([405, 'UNSUPPORTED']);
  });
});

describe.each([true, false])('a warm manifest, where credentials are known at once: %s', (isInstant) => {
  test('is not for shared caches if it was sent to a user, and for all if it was not', async () => {
    await using own = await accessWorld({ isInstant });
    const cacheControl = async (path: string, client: Client): Promise<unknown> =>
      (await own.mirror.get(path, { headers: as(client) })).headers['cache-control'];
    expect(await cacheControl('/ghcr.io/v2/acme/app/manifests/1', 'alice')).toBe('private');
    expect(await cacheControl('/docker.io/v2/library/debian/manifests/12', 'alice')).toBe('private');
    expect(await cacheControl('/docker.io/v2/library/debian/manifests/12', 'anonymous')).toBeUndefined();
    expect(await cacheControl('/ghcr.io/v2/acme/none/manifests/1', 'alice')).toBe('private');
  });

  test('is logged with its user', async () => {
    await using own = await accessWorld({ isInstant });
    await own.mirror.get('/ghcr.io/v2/acme/app/manifests/1', { headers: as('builder') });
    // Requests are told as they end: one with a body from a file may end later than one that came after it.
    await expect.poll(() => own.mirror.served.map(({ user }) => user)).toContain('serviceaccount:ci/builder');
  });
});

test('a refusal is an event with who, what and where', async () => {
  const { mirror } = world;
  await mirror.get('/ghcr.io/v2/acme/app/tags/list', {
    headers: { ...as('bob'), 'X-Request-Id': 'asked-by-bob' },
  });
  await expect
    .poll(() => mirror.events.filter((event) => 'id' in event && event.id === 'asked-by-bob'))
    .toEqual([
      {
        kind: 'access-denied',
        id: 'asked-by-bob',
        client: '127.0.0.1',
        user: 'user:bob',
        failure: 'denied',
        action: 'tags',
        upstream: 'ghcr.io',
        repository: 'acme/app',
      },
    ]);
  const told = (): unknown => mirror.served.find(({ id }) => id === 'asked-by-bob');
  await expect.poll(told).toMatchObject({ user: 'user:bob', status: 404 });
});

describe('pages', () => {
  test.each<[Client, number]>([
    ['anonymous', 401],
    ['alice', 404],
    ['wrong', 401],
    ['for-acme', 404],
    ['prometheus', 200],
    ['throttled', 429],
    ['unavailable', 503],
  ])('/metrics as %s: %i', async (client, status) => {
    const { status: got, headers } = await world.mirror.get('/metrics', { headers: as(client) });
    expect(got).toBe(status);
    expect(headers['www-authenticate']).toBe(status === 401 ? 'Basic realm="larder"' : undefined);
    expect(headers['cache-control']).toBe(status === 200 ? 'private' : 'no-store');
  });

  test('/livez and /readyz are open, and tell details only to a reader of metrics', async () => {
    const { mirror } = world;
    expect((await mirror.get('/livez')).status).toBe(200);
    for (const client of ['anonymous', 'alice', 'wrong', 'throttled'] as const) {
      const { status, body } = await mirror.get('/readyz', { headers: as(client) });
      expect([status, body.toString()]).toEqual([200, '{"status":"ready"}']);
    }
    const { body } = await mirror.get('/readyz', { headers: as('prometheus') });
    expect(JSON.parse(body.toString())).toEqual({ status: 'ready', disk: { state: 'ok' }, upstreams: {} });
  });
});

describe('a request with two Authorizations', () => {
  test.each([
    ['a warm manifest', '/v2/acme/app/manifests/1?ns=ghcr.io'],
    ['one that is open', '/v2/library/debian/manifests/12?ns=docker.io'],
    ['the ping', '/v2/'],
    ['the metrics', '/metrics'],
  ])('has wrong credentials: %s', async (_, path) => {
    const client = path === '/metrics' ? 'prometheus' : 'alice';
    expect((await world.mirror.get(path, { headers: as(client) })).status).toBe(200);
    for (const second of [client, 'wrong', '']) {
      const headers = { Authorization: [client, second] };
      expect((await world.mirror.get(path, { headers })).status).toBe(401);
    }
  });
});
