/** How old an answer is that upstream has not confirmed for the request (RFC 9111 §5.1), and from when that counts. */
import { describe, expect, test } from 'vitest';
import { parseRepositoryName } from '../../../src/oci/repository-name.ts';
import { parseTag } from '../../../src/oci/tag.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture, type MirrorFixtureOptions } from '../../support/mirror-fixture.ts';
import { instead, neverRespond, status } from '../../support/scripted-reply.ts';

const TTL = 300_000;
const TAG = '/v2/acme/app/manifests/latest';
const LIST = '/v2/acme/app/tags/list';

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
  ageOf(path: string, asked?: Parameters<MirrorFixture['get']>[1]): Promise<unknown>;
}

async function start(tags: MirrorFixtureOptions['upstreams'][0]['tags'] = {}): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const registry = stack.use(await startFakeRegistry());
  const mirror = stack.use(
    await startMirror({
      upstreams: [{ name: 'registry.test', registry, tags }],
      negativeTtlMs: 30_000,
      answerMs: 1_000_000,
    }),
  );
  const owned = stack.move();
  return {
    registry,
    mirror,
    ageOf: async (path, asked) => (await mirror.get(path, asked)).headers.age,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function tagsIn(body: Buffer): unknown {
  return (JSON.parse(body.toString()) as { tags: unknown }).tags;
}

describe('Age', () => {
  test('of a tag: none where upstream was asked, else since then; by GET, by HEAD and with 304', async () => {
    await using world = await start();
    const { digest } = world.registry.putImage('acme/app', 'latest');
    expect(await world.ageOf(TAG)).toBeUndefined();
    expect(await world.ageOf(TAG)).toBe('0');
    world.mirror.clock.advance(61_999);
    expect(await world.ageOf(TAG)).toBe('61');
    expect(await world.ageOf(TAG, { method: 'HEAD' })).toBe('61');
    expect(await world.ageOf(TAG, { headers: { 'if-none-match': `"${digest}"` } })).toBe('61');
    expect(await world.ageOf(TAG, { headers: { 'cache-control': 'no-store' } })).toBe('61');
    world.mirror.clock.advance(TTL);
    expect(await world.ageOf(TAG)).toBeUndefined();
    expect(await world.ageOf(TAG)).toBe('0');
  });

  test('of a tag whose manifest has to be fetched is that of the tag', async () => {
    await using world = await start();
    world.registry.putImage('acme/app', 'latest');
    await world.mirror.head(TAG);
    world.mirror.clock.advance(7_000);
    const { headers } = await world.mirror.get(TAG);
    expect([headers['cache-status'], headers.age]).toEqual(['larder; fwd=uri-miss; stored', '7']);
  });

  test('of a tag that could not be confirmed is its real age', async () => {
    await using world = await start();
    world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(TAG);
    world.mirror.clock.advance(TTL + 86_400_000);
    world.registry.down();
    expect(await world.ageOf(TAG)).toBe('86700');
    expect(await world.ageOf(TAG, { method: 'HEAD' })).toBe('86700');
  });

  test('of a tag that never moves is its age all the same', async () => {
    await using world = await start({ isImmutable: () => true });
    world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(TAG);
    world.mirror.clock.advance(2 * TTL);
    expect(await world.ageOf(TAG)).toBe('600');
  });

  test('is 0 where the clock was set back', async () => {
    await using world = await start({ isImmutable: () => true });
    world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(TAG);
    world.mirror.clock.jump(-3_600_000);
    expect(await world.ageOf(TAG)).toBe('0');
  });

  test('of a list of tags, known and the last one known', async () => {
    await using world = await start();
    world.registry.putImage('acme/app', 'latest');
    expect(await world.ageOf(LIST)).toBeUndefined();
    world.mirror.clock.advance(9_000);
    expect(await world.ageOf(LIST)).toBe('9');
    world.mirror.clock.advance(TTL);
    world.registry.down();
    expect(await world.ageOf(LIST)).toBe('309');
  });

  test('none of a list that upstream never gave', async () => {
    await using world = await start();
    world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(TAG);
    world.mirror.clock.advance(9_000);
    world.registry.down();
    const { body, headers } = await world.mirror.get(LIST);
    expect([tagsIn(body), headers.age]).toEqual([['latest'], undefined]);
    expect((await world.mirror.get('/v2/_catalog')).headers.age).toBeUndefined();
  });

  test('of a list of referrers', async () => {
    await using world = await start();
    const { digest } = world.registry.putImage('acme/app', 'latest');
    const path = `/v2/acme/app/referrers/${digest}`;
    expect(await world.ageOf(path)).toBeUndefined();
    world.mirror.clock.advance(8_000);
    expect(await world.ageOf(path)).toBe('8');
  });

  test('of a refusal that is remembered', async () => {
    await using world = await start();
    expect(await world.ageOf(TAG)).toBeUndefined();
    world.mirror.clock.advance(6_000);
    expect(await world.ageOf(TAG)).toBe('6');
  });

  test('none of what a digest names, however long it is here: it is what it was', async () => {
    await using world = await start();
    const { digest, layers } = world.registry.putImage('acme/app', 'latest');
    const paths = [`/v2/acme/app/manifests/${digest}`, `/v2/acme/app/blobs/${layers[0]?.digest}`];
    for (const path of paths) await world.mirror.get(path);
    world.mirror.clock.advance(86_400_000);
    for (const path of paths) {
      const { headers } = await world.mirror.get(path);
      expect([headers['cache-status'], headers.age]).toEqual(['larder; hit', undefined]);
    }
  });
});

describe('an answer is as old as its question: what moves while upstream takes its time is seen after the ttl', () => {
  test('a cold tag', async () => {
    await using world = await start();
    const old = world.registry.putImage('acme/app', 'latest');
    const stalled = neverRespond();
    world.registry.fault({ method: 'HEAD', times: 1 }, stalled);
    const first = world.mirror.get(TAG);
    await stalled.reached;
    const moved = world.registry.putImage('acme/app', 'latest', { layers: [Buffer.from('new')] });
    world.mirror.clock.advance(4_000);
    stalled.release();
    expect((await first).headers['docker-content-digest']).toBe(old.digest);
    expect(await world.ageOf(TAG)).toBe('4');
    world.mirror.clock.advance(TTL - 4_001);
    expect((await world.mirror.get(TAG)).headers['docker-content-digest']).toBe(old.digest);
    world.mirror.clock.advance(1);
    expect((await world.mirror.get(TAG)).headers['docker-content-digest']).toBe(moved.digest);
  });

  test('a tag that has moved, while its new manifest is pulled', async () => {
    await using world = await start({ deadlineMs: 1_000_000 });
    world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(TAG);
    world.mirror.clock.advance(TTL);
    const second = world.registry.putImage('acme/app', 'latest', { layers: [Buffer.from('second')] });
    const stalled = neverRespond();
    world.registry.fault({ method: 'GET', reference: second.digest, times: 1 }, stalled);
    const asked = world.mirror.clock.now();
    const pending = world.mirror.get(TAG);
    await stalled.reached;
    const third = world.registry.putImage('acme/app', 'latest', { layers: [Buffer.from('third')] });
    world.mirror.clock.advance(4_000);
    stalled.release();
    expect((await pending).headers['docker-content-digest']).toBe(second.digest);
    const key = { registry: 'registry.test', repository: parseRepositoryName('acme/app') };
    expect((await world.mirror.index.tag(key, parseTag('latest')))?.checkedAt).toBe(asked);
    world.mirror.clock.advance(TTL - 4_000);
    expect((await world.mirror.get(TAG)).headers['docker-content-digest']).toBe(third.digest);
  });

  test('a tag of a registry that does no HEAD', async () => {
    await using world = await start();
    world.registry.putImage('acme/app', 'latest');
    world.registry.fault({ method: 'HEAD' }, instead(status(405)));
    const stalled = neverRespond();
    world.registry.fault({ method: 'GET', reference: 'latest', times: 1 }, stalled);
    const pending = world.mirror.get(TAG);
    await stalled.reached;
    const moved = world.registry.putImage('acme/app', 'latest', { layers: [Buffer.from('new')] });
    world.mirror.clock.advance(4_000);
    stalled.release();
    await pending;
    world.mirror.clock.advance(TTL - 4_000);
    expect((await world.mirror.get(TAG)).headers['docker-content-digest']).toBe(moved.digest);
  });

  test('a list of tags', async () => {
    await using world = await start();
    world.registry.putImage('acme/app', 'a');
    const stalled = neverRespond();
    world.registry.fault({ kind: 'tags', times: 1 }, stalled);
    const pending = world.mirror.get(LIST);
    await stalled.reached;
    world.registry.putImage('acme/app', 'b');
    world.mirror.clock.advance(4_000);
    stalled.release();
    expect(tagsIn((await pending).body)).toEqual(['a']);
    expect(await world.ageOf(LIST)).toBe('4');
    world.mirror.clock.advance(TTL - 4_000);
    expect(tagsIn((await world.mirror.get(LIST)).body)).toEqual(['a', 'b']);
  });
});
