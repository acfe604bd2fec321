import { expect, test } from 'vitest';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture, type MirrorFixtureOptions } from '../../support/mirror-fixture.ts';
import { instead, registryError } from '../../support/scripted-reply.ts';

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
  statusOf(path: string, method?: string): Promise<unknown>;
}

async function start(options: Partial<MirrorFixtureOptions> = {}): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const registry = stack.use(await startFakeRegistry());
  const mirror = stack.use(
    await startMirror({ upstreams: [{ name: 'registry.test', registry }], ...options }),
  );
  const owned = stack.move();
  return {
    registry,
    mirror,
    statusOf: async (path, method = 'GET') => (await mirror.get(path, { method })).headers['cache-status'],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const MANIFEST = '/v2/acme/app/manifests/latest';

test('what is absent: upstream was asked and what it said; then that it is remembered; then asked again', async () => {
  await using world = await start({ negativeTtlMs: 30_000 });
  expect(await world.statusOf(MANIFEST)).toBe('larder; fwd=miss; fwd-status=404; detail=not-found');
  const { length } = world.registry.requests;
  expect(await world.statusOf(MANIFEST)).toBe('larder; hit; detail=not-found');
  expect(world.registry.requests.length).toBe(length);
  world.mirror.clock.advance(30_000);
  expect(await world.statusOf(MANIFEST)).toBe('larder; fwd=miss; fwd-status=404; detail=not-found');
});

test('upstream’s own status is told where the client gets another', async () => {
  await using world = await start();
  world.registry.fault({}, instead(registryError(429, 'TOOMANYREQUESTS')));
  const answer = await world.mirror.get(`${MANIFEST}?ns=registry.test`);
  expect(answer.status).toBe(503);
  expect(answer.headers['cache-status']).toBe('larder; fwd=miss; fwd-status=429; detail=rate-limit');
});

test('nobody answers: no status of upstream is made up', async () => {
  await using world = await start();
  world.registry.down();
  expect(await world.statusOf(MANIFEST)).toMatch(/^larder; fwd=miss; detail=(refused|reset)$/);
});

test.each([
  ['a name', '/v2/Acme/app/tags/list', 'GET', 'NAME_INVALID'],
  ['an upstream that is not configured', '/v2/a/tags/list?ns=evil.example', 'GET', 'NAME_UNKNOWN'],
  ['a write', '/v2/acme/app/manifests/latest', 'PUT', 'UNSUPPORTED'],
  ['a page', '/v2/acme/app/tags/list?n=-1', 'GET', 'PAGINATION_NUMBER_INVALID'],
])('%s that is refused here says neither hit nor fwd', async (_, path, method, code) => {
  await using world = await start();
  expect(await world.statusOf(path, method)).toBe(`larder; detail=${code}`);
});

test('the ping is answered here', async () => {
  await using world = await start();
  expect(await world.statusOf('/v2/')).toBe('larder');
});

test('a request too many has the headers of every other answer', async () => {
  await using world = await start({ limits: { requests: 0, requestsPerClient: 1 } });
  const { status, headers } = await world.mirror.get('/v2/', { headers: { 'x-request-id': 'job-1' } });
  expect(status).toBe(503);
  expect(headers).toMatchObject({
    'cache-status': 'larder; detail=UNAVAILABLE',
    'docker-distribution-api-version': 'registry/2.0',
    'x-request-id': 'job-1',
    'retry-after': '1',
  });
});
