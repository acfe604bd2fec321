import { afterAll, beforeAll, expect, test } from 'vitest';
import { accessWorld, as, GHCR_HOST, type AccessWorld, type Client } from '../../support/access-world.ts';

let world: AccessWorld;

beforeAll(async () => {
  world = await accessWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const DENIED: readonly Client[] = ['anonymous', 'bob', 'olga', 'wrong', 'for-debian', 'throttled'];

/** The paths behind a repository's name. */
function endpoints({ images: { acme } }: AccessWorld): readonly string[] {
  return [
    'manifests/1',
    `manifests/${acme.digest}`,
    `blobs/${acme.config.digest}`,
    'tags/list',
    `referrers/${acme.digest}`,
  ];
}

const WAYS: readonly ((endpoint: string) => { path: string; Host?: string })[] = [
  (endpoint) => ({ path: `/v2/acme/app/${endpoint}?ns=ghcr.io` }),
  (endpoint) => ({ path: `/v2/ghcr.io/acme/app/${endpoint}` }),
  (endpoint) => ({ path: `/ghcr.io/v2/acme/app/${endpoint}` }),
  (endpoint) => ({ path: `/v2/acme/app/${endpoint}`, Host: GHCR_HOST }),
];

/** Asks, and returns the calls of index and store, and the requests to the registry, that this took. */
async function costOf(
  path: string,
  headers: Record<string, string>,
  method: string,
): Promise<readonly string[]> {
  const { mirror, calls, ghcr } = world;
  calls.names.length = 0;
  const requests = ghcr.requests.length;
  const { status } = await mirror.get(path, { method, headers });
  const asked = ghcr.requests.slice(requests).map(({ kind }) => `asked for ${kind}`);
  return [String(status), ...calls.names, ...asked];
}

interface Asked {
  readonly path: string;
  readonly method: string;
  readonly headers: Record<string, string>;
}

/** Every endpoint by every way of addressing, with every header that changes how it is answered. */
function everyRequest(): readonly Asked[] {
  const addressed = endpoints(world).flatMap((endpoint) => WAYS.map((way) => way(endpoint)));
  const etag = `"${world.images.acme.digest}"`;
  const changes = [{}, { Range: 'bytes=0-1' }, { 'If-None-Match': etag }, { 'Cache-Control': 'no-cache' }];
  const asked = addressed.flatMap(({ path, ...host }) =>
    changes.map((change) => ({ path, headers: { ...host, ...change } })),
  );
  return asked.flatMap((each) => ['GET', 'HEAD'].map((method) => ({ ...each, method })));
}

test.each(DENIED)(
  'a request of %s that is refused asks neither index nor store nor upstream',
  async (client) => {
    for (const { path, method, headers } of everyRequest()) {
      const cost = await costOf(path, { ...headers, ...as(client) }, method);
      expect(cost, `${method} ${path}`).toHaveLength(1);
      expect(['401', '404', '429']).toContain(cost[0]);
    }
  },
);

test('the same requests of a client that may do ask', async () => {
  for (const endpoint of endpoints(world)) {
    const { length } = await costOf(`/ghcr.io/v2/acme/app/${endpoint}`, { Authorization: 'alice' }, 'GET');
    // A warm manifest is answered from the memory of the index.
    expect(length).toBeGreaterThan(1);
  }
});

test.each([
  '/v2/',
  '/ghcr.io/v2/',
  '/v2/acme/app/manifests/1?ns=quay.io',
  '/ghcr.io/v2/secret/app/manifests/1',
])('%s asks nothing', async (path) => {
  for (const client of [...DENIED, 'alice'] as const)
    expect(await costOf(path, { ...as(client) }, 'GET')).toHaveLength(1);
});

test('a catalog of which the client may see nothing asks nothing', async () => {
  await using closed = await accessWorld({
    rules: [{ repositories: ['ghcr.io/**'], who: [{ kind: 'user', name: 'alice' }], allow: ['pull'] }],
  });
  for (const [client, status, body] of [
    ['anonymous', 401, /UNAUTHORIZED/],
    ['wrong', 401, /UNAUTHORIZED/],
    ['for-acme', 401, /UNAUTHORIZED/],
    ['bob', 200, /^\{"repositories":\[\]\}$/],
  ] as const) {
    closed.calls.names.length = 0;
    const answer = await closed.mirror.get('/v2/_catalog', { headers: as(client) });
    expect([answer.status, closed.calls.names]).toEqual([status, []]);
    expect(answer.body.toString()).toMatch(body);
  }
});
