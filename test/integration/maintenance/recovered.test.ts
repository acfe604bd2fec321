import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestOf, type Digest } from '../../../src/oci/digest.ts';
import { startFakeRegistry, type FakeRegistry, type StoredImage } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture, type MirrorFixtureOptions } from '../../support/mirror-fixture.ts';

const LAYER = randomBytes(100_000);

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
  readonly image: StoredImage;
  readonly layer: Digest;
  readonly signature: Digest;
}

/** An image with a signature was pulled, then the index was lost; what can be told from the bytes is known again. */
async function start(options: Partial<MirrorFixtureOptions> = {}): Promise<World> {
  const registry = await startFakeRegistry();
  const upstreams = [{ name: 'registry.test', registry }];
  const directory = await mkdtemp(join(tmpdir(), 'larder-test-'));
  const image = registry.putImage('acme/app', '1', { layers: [LAYER] });
  const signature = registry.putImage('acme/app', undefined, {
    layers: [Buffer.from('signed')],
    subject: image.descriptor,
    artifactType: 'application/x-signature',
  });
  {
    await using before = await startMirror({ upstreams, directory });
    await before.get('/v2/acme/app/manifests/1');
    await before.get(`/v2/acme/app/manifests/${signature.digest}`);
    for (const { digest } of [image.config, ...image.layers])
      await before.get(`/v2/acme/app/blobs/${digest}`);
  }
  for (const part of ['', '-wal', '-shm']) await rm(join(directory, `index.db${part}`), { force: true });
  const mirror = await startMirror({ upstreams, directory, ...options });
  await mirror.upkeep.reconcile(new AbortController().signal);
  return {
    registry,
    mirror,
    image,
    layer: digestOf(LAYER),
    signature: signature.digest,
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}

const paths = ({ image, layer }: World, repository = 'acme/app'): readonly string[] => [
  `/v2/${repository}/manifests/${image.digest}`,
  `/v2/${repository}/blobs/${layer}`,
  `/v2/${repository}/blobs/${image.config.digest}`,
];

describe('after the index was lost', () => {
  test('what is stored is counted, and manifests are known as such, with what they refer to', async () => {
    await using world = await start();
    const { index, clock } = world.mirror;
    expect((await index.stats()).blobs).toBe(4);
    expect(await index.manifest(world.image.digest)).toMatchObject({
      descriptor: { mediaType: world.image.mediaType, size: world.image.bytes.length },
    });
    expect((await index.edges(world.image.digest)).map(({ role }) => role)).toEqual(['config', 'layer']);
    expect((await index.manifest(world.signature))?.subject).toBe(world.image.digest);
    expect(await index.isRecovered(world.layer)).toBe(true);
    expect(await index.repositoriesOf(world.layer, 1)).toEqual([]);
    expect((await index.blob(world.layer))?.usedAt).toBeLessThanOrEqual(clock.now());
    const ended = world.mirror.events.find((event) => event.kind === 'maintenance-ended');
    expect(ended).toMatchObject({ task: 'reconcile', stats: { adopted: 4, manifests: 2 } });
  });

  test('upstream confirms what is asked for, by cheap questions, and sends none of it again', async () => {
    await using world = await start();
    const { registry, mirror } = world;
    const before = registry.requests.length;
    expect((await mirror.get('/v2/acme/app/manifests/1')).body.equals(world.image.bytes)).toBe(true);
    for (const path of paths(world)) expect((await mirror.get(path)).status).toBe(200);
    const asked = registry.requests.slice(before);
    expect(asked.filter(({ method }) => method === 'GET')).toEqual([]);
    const heads = asked.length;
    for (const path of paths(world))
      expect((await mirror.get(path)).headers['cache-status']).toBe('larder; hit');
    expect(registry.requests).toHaveLength(before + heads);
  });

  test('a second reconciliation finds nothing to do', async () => {
    await using world = await start();
    await world.mirror.upkeep.reconcile(new AbortController().signal);
    const [, again] = world.mirror.events.filter((event) => event.kind === 'maintenance-ended');
    expect(again).toMatchObject({ stats: { adopted: 0, removed: 0, rows: 4 } });
  });
});

describe('while upstream cannot be asked', () => {
  test('what was recovered is served by digest, with a warning, where no upstream has credentials', async () => {
    await using world = await start({ serveRecovered: true });
    world.registry.down();
    for (const path of paths(world)) {
      for (const { status, headers } of [await world.mirror.get(path), await world.mirror.head(path)]) {
        expect(status).toBe(200);
        expect(headers['warning']).toMatch(
          /^299 .*served from the cache without confirmation: registry\.test/,
        );
        expect(headers['cache-status']).toMatch(/fwd=stale/);
      }
    }
    expect((await world.mirror.get(`/v2/acme/app/blobs/${world.layer}`)).body.equals(LAYER)).toBe(true);
    const image = await world.mirror.get(`/v2/acme/app/manifests/${world.image.digest}`);
    expect(image.body.equals(world.image.bytes)).toBe(true);
    expect((await world.mirror.get('/v2/acme/app/manifests/1')).status).toBeGreaterThanOrEqual(500);
  });

  test('nothing of it is taken for confirmed', async () => {
    await using world = await start({ serveRecovered: true });
    world.registry.down();
    for (const path of paths(world, 'other/app')) expect((await world.mirror.get(path)).status).toBe(200);
    world.registry.up();
    world.mirror.clock.advance(60_000);
    for (const path of paths(world, 'other/app')) expect((await world.mirror.get(path)).status).toBe(404);
    for (const path of paths(world)) expect((await world.mirror.get(path)).status).toBe(200);
  });

  test('it is refused where an upstream has credentials', async () => {
    await using world = await start({ serveRecovered: false });
    world.registry.down();
    for (const path of paths(world)) {
      // 502, and 503 once upstream has failed so often that it is left alone.
      expect((await world.mirror.get(path)).status).toBeOneOf([502, 503]);
      expect((await world.mirror.head(path)).status).toBeOneOf([502, 503]);
    }
    expect(world.mirror.served.every(({ bytes }) => bytes < 1000)).toBe(true);
  });

  test('what is known to belong to another repository is refused, since it was not recovered', async () => {
    await using world = await start({ serveRecovered: true });
    const fresh = world.registry.putBlob('acme/app', randomBytes(1000));
    expect((await world.mirror.get(`/v2/acme/app/blobs/${fresh.digest}`)).status).toBe(200);
    world.registry.down();
    expect((await world.mirror.get(`/v2/other/app/blobs/${fresh.digest}`)).status).toBe(502);
    expect((await world.mirror.get(`/v2/acme/app/blobs/${fresh.digest}`)).status).toBe(200);
  });
});

test('upstream’s no is a no, for what was recovered too', async () => {
  await using world = await start({ serveRecovered: true });
  for (const path of paths(world, 'other/app')) {
    expect((await world.mirror.get(path)).status).toBe(404);
    world.registry.down();
    // It is remembered.
    expect((await world.mirror.get(path)).status).toBe(404);
    world.registry.up();
  }
});

describe('reconciliation', () => {
  test('counts a use by when bytes were stored, for want of better', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const [old, future] = [Buffer.from('old'), Buffer.from('from a clock that was wrong')];
    for (const [bytes, seconds] of [
      [old, 1_000_000_000],
      [future, 4_000_000_000],
    ] as const) {
      await writeFile(mirror.pathOf(digestOf(bytes)), bytes);
      await utimes(mirror.pathOf(digestOf(bytes)), seconds, seconds);
    }
    await mirror.upkeep.reconcile(new AbortController().signal);
    expect((await mirror.index.blob(digestOf(old)))?.usedAt).toBe(1_000_000_000_000);
    expect((await mirror.index.blob(digestOf(future)))?.usedAt).toBe(mirror.clock.now());
  });

  test('lets a blob that has lost its row and its repository go on where upstream knows it', async () => {
    await using registry = await startFakeRegistry();
    await using mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    const { digest } = registry.putBlob('acme/app', LAYER);
    await mirror.get(`/v2/acme/app/blobs/${digest}`);
    await mirror.index.deleteBlob(digest);
    expect((await mirror.get(`/v2/acme/app/blobs/${digest}`)).body.equals(LAYER)).toBe(true);
    await mirror.upkeep.reconcile(new AbortController().signal);
    expect(await mirror.index.stats()).toEqual({ blobs: 1, bytes: LAYER.length });
    expect(registry.count({ kind: 'blob', method: 'GET' })).toBe(1);
  });

  test('tells of what it cannot do, and does not bring the server down', async () => {
    await using registry = await startFakeRegistry();
    const mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }] });
    await using _ = mirror;
    await rm(join(mirror.directory, 'blobs'), { recursive: true });
    await mirror.upkeep.reconcile(new AbortController().signal);
    expect(mirror.events).toContainEqual(
      expect.objectContaining({ kind: 'maintenance-failed', task: 'reconcile' }),
    );
  });
});
