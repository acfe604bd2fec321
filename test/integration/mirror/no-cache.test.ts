/** A client that wants to know what upstream says now, a moment after a push say: `Cache-Control: no-cache`. */
import { describe, expect, test } from 'vitest';
import { MediaType } from '../../../src/oci/media-type.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture, type MirrorFixtureOptions } from '../../support/mirror-fixture.ts';

const ANEW = { headers: { 'cache-control': 'no-cache' } };
const TAG = '/v2/acme/app/manifests/1';
const LIST = '/v2/acme/app/tags/list';

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
  /** How many questions upstream was asked meanwhile. */
  asked(during: () => Promise<unknown>): Promise<number>;
}

async function start(tags: MirrorFixtureOptions['upstreams'][0]['tags'] = {}): Promise<World> {
  const registry = await startFakeRegistry();
  const mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry, tags }] });
  return {
    registry,
    mirror,
    async asked(during) {
      const before = registry.requests.length;
      await during();
      return registry.requests.length - before;
    },
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

async function digestOfTag({ mirror }: World, asked = {}): Promise<unknown> {
  return (await mirror.get(TAG, asked)).headers['docker-content-digest'];
}

describe('a tag', () => {
  test('that was pushed again a moment ago is seen, by GET and by HEAD, and by others then', async () => {
    for (const method of ['GET', 'HEAD']) {
      await using world = await start();
      const old = world.registry.putImage('acme/app', '1');
      await world.mirror.get(TAG);
      world.mirror.clock.advance(5_000);
      const { digest } = world.registry.putImage('acme/app', '1', { config: { architecture: 'arm64' } });
      expect(await digestOfTag(world)).toBe(old.digest);
      expect(await digestOfTag(world, { ...ANEW, method })).toBe(digest);
      expect(await digestOfTag(world)).toBe(digest);
    }
  });

  test('is asked for once in five seconds, however many want it', async () => {
    await using world = await start();
    world.registry.putImage('acme/app', '1');
    await world.mirror.get(TAG);
    const many = async (): Promise<void> => {
      for (let n = 0; n < 5; n += 1) await world.mirror.get(TAG, ANEW);
      await Promise.all([1, 2, 3].map(() => world.mirror.get(TAG, ANEW)));
    };
    world.mirror.clock.advance(4_999);
    expect(await world.asked(many)).toBe(0);
    world.mirror.clock.advance(1);
    expect(await world.asked(many)).toBe(1);
  });

  test('that was absent and has been pushed since is found', async () => {
    await using world = await start();
    expect((await world.mirror.get(TAG)).status).toBe(404);
    world.registry.putImage('acme/app', '1');
    world.mirror.clock.advance(4_999);
    expect((await world.mirror.get(TAG, ANEW)).status).toBe(404);
    world.mirror.clock.advance(1);
    expect((await world.mirror.get(TAG)).status).toBe(404);
    expect((await world.mirror.get(TAG, ANEW)).status).toBe(200);
  });

  test('is served as it is known, with a warning, where upstream fails', async () => {
    await using world = await start();
    world.registry.putImage('acme/app', '1');
    await world.mirror.get(TAG);
    world.mirror.clock.advance(5_000);
    world.registry.down();
    const { status, headers } = await world.mirror.get(TAG, ANEW);
    expect([status, headers.warning]).toEqual([200, expect.stringContaining('without confirmation')]);
    expect((await world.mirror.get(TAG)).headers.warning).toBeUndefined();
  });

  test('that never moves, as the operator says, is not asked for', async () => {
    await using immutable = await start({ isImmutable: () => true });
    immutable.registry.putImage('acme/app', '1');
    await immutable.mirror.get(TAG);
    immutable.mirror.clock.advance(5_000);
    expect(await immutable.asked(() => immutable.mirror.get(TAG, ANEW))).toBe(0);
  });

  test.each([
    ['another directive', { 'cache-control': 'max-age=0' }],
    ['Pragma', { pragma: 'no-cache' }],
  ])('%s changes nothing', async (_, headers) => {
    await using world = await start();
    world.registry.putImage('acme/app', '1');
    await world.mirror.get(TAG);
    world.mirror.clock.advance(5_000);
    expect(await world.asked(() => world.mirror.get(TAG, { headers }))).toBe(0);
  });
});

describe('a list', () => {
  test('of tags is asked for anew, once in five seconds; where upstream fails, the last one known', async () => {
    await using world = await start();
    world.registry.putImage('acme/app', '1');
    await world.mirror.get(LIST);
    world.registry.putImage('acme/app', '2');
    world.mirror.clock.advance(5_000);
    const tags = async (asked = {}): Promise<unknown> =>
      JSON.parse((await world.mirror.get(LIST, asked)).body.toString());
    expect(await tags()).toMatchObject({ tags: ['1'] });
    expect(await tags(ANEW)).toMatchObject({ tags: ['1', '2'] });
    expect(await world.asked(() => tags(ANEW))).toBe(0);
    world.mirror.clock.advance(5_000);
    world.registry.down();
    const { body, headers } = await world.mirror.get(LIST, ANEW);
    expect([JSON.parse(body.toString()), headers.warning]).toMatchObject([
      { tags: ['1', '2'] },
      expect.stringContaining('the last list known'),
    ]);
  });

  test('of referrers is asked for anew', async () => {
    await using world = await start();
    const { digest, descriptor } = world.registry.putImage('acme/app', '1');
    const path = `/v2/acme/app/referrers/${digest}`;
    const found = async (asked = {}): Promise<number> => {
      const { body } = await world.mirror.get(path, asked);
      return (JSON.parse(body.toString()) as { manifests: unknown[] }).manifests.length;
    };
    expect(await found()).toBe(0);
    const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest, size: 2 };
    const signature = {
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      config,
      layers: [],
      subject: descriptor,
    };
    world.registry.putManifest('acme/app', undefined, signature, MediaType.ociManifest);
    world.mirror.clock.advance(5_000);
    expect([await found(), await found(ANEW), await found()]).toEqual([0, 1, 1]);
  });
});

test('what a digest names is never asked for anew, be it there or not', async () => {
  await using world = await start();
  const { digest, layers } = world.registry.putImage('acme/app', '1');
  const paths = [`/v2/acme/app/manifests/${digest}`, `/v2/acme/app/blobs/${layers[0]?.digest}`];
  const absent = `/v2/acme/app/manifests/sha256:${'0'.repeat(64)}`;
  for (const path of [...paths, absent]) await world.mirror.get(path);
  world.mirror.clock.advance(6_000);
  for (const path of [...paths, absent])
    expect(await world.asked(() => world.mirror.get(path, ANEW))).toBe(0);
});
