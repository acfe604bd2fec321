/** Manifests that memory has and the disk has not. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Digest } from '../../../src/oci/digest.ts';
import type { BlobStore } from '../../../src/store/blob-store.ts';
import { StoreError } from '../../../src/store/error.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';

const PATH = '/v2/acme/app/manifests/latest';

/** A store that refuses to begin what it is told to refuse. */
class RefusingStore {
  code: string | undefined;
  refused = 0;
  /** The first one of all that is begun waits for this. */
  gate: Promise<void> = Promise.resolve();
  begun = 0;

  wrap(store: BlobStore): BlobStore {
    return {
      stat: (digest) => store.stat(digest),
      open: (digest) => store.open(digest),
      delete: (digest) => store.delete(digest),
      quarantine: store.quarantine,
      list: () => store.list(),
      ingest: async (expected) => {
        this.begun += 1;
        await this.gate;
        if (this.code === undefined) return store.ingest(expected);
        this.refused += 1;
        throw new StoreError('begin a blob', { code: this.code });
      },
    };
  }
}

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly disk: RefusingStore;
  readonly mirror: MirrorFixture;
  /** The process ends, and another one begins, while upstream is gone. */
  restartOffline(): Promise<void>;
}

async function start(): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const registry = stack.use(await startFakeRegistry());
  const directory = await mkdtemp(join(tmpdir(), 'larder-hot-'));
  stack.defer(() => rm(directory, { recursive: true }));
  const disk = new RefusingStore();
  const open = (): Promise<MirrorFixture> =>
    startMirror({
      directory,
      upstreams: [{ name: 'registry.test', registry }],
      wrapStore: (store) => disk.wrap(store),
    });
  let mirror = await open();
  stack.defer(() => mirror[Symbol.asyncDispose]());
  const owned = stack.move();
  return {
    registry,
    disk,
    get mirror() {
      return mirror;
    },
    async restartOffline() {
      await mirror[Symbol.asyncDispose]();
      registry.down();
      mirror = await open();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** As the evictor does. */
async function evict({ store, mirror, index }: MirrorFixture, digest: Digest): Promise<void> {
  await store.delete(digest);
  mirror.evicted(digest);
  await index.deleteBlob(digest);
}

async function isStored({ store, index }: MirrorFixture, digest: Digest): Promise<boolean> {
  const bytes = await store.stat(digest);
  const rows = [await index.blob(digest), await index.manifest(digest)];
  return bytes !== undefined && rows.every((row) => row !== undefined);
}

describe('a manifest that was evicted and is asked for again', () => {
  test.each(['GET', 'HEAD'])('by %s: it is stored, and served when all else has gone', async (method) => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    await evict(world.mirror, image.digest);
    expect(await isStored(world.mirror, image.digest)).toBe(false);
    expect((await world.mirror.get(PATH, { method })).headers['cache-status']).toContain('hit');
    await expect.poll(() => isStored(world.mirror, image.digest)).toBe(true);
    await world.restartOffline();
    expect((await world.mirror.get(PATH)).body).toEqual(Buffer.from(image.bytes));
    expect(world.registry.count({ kind: 'manifest', method: 'GET', digest: image.digest })).toBe(1);
  });

  test('by many clients at once: it is written once', async () => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    await evict(world.mirror, image.digest);
    const gate = Promise.withResolvers<void>();
    world.disk.gate = gate.promise;
    const before = world.disk.begun;
    await Promise.all(Array.from({ length: 50 }, () => world.mirror.get(PATH)));
    gate.resolve();
    await expect.poll(() => isStored(world.mirror, image.digest)).toBe(true);
    expect(world.disk.begun - before).toBe(1);
  });

  test('and evicted once more while it is written: it is stored with the next one', async () => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    for (let i = 0; i < 2; i += 1) {
      await evict(world.mirror, image.digest);
      await world.mirror.get(PATH);
      await expect.poll(() => isStored(world.mirror, image.digest)).toBe(true);
    }
  });

  test('while another one is read: what was read before is not taken for stored', async () => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    await world.restartOffline();
    const asked = world.mirror.get(PATH);
    await evict(world.mirror, image.digest);
    expect((await asked).status).toBeGreaterThanOrEqual(200);
    world.registry.up();
    await world.mirror.get(PATH);
    await world.mirror.get(PATH);
    await expect.poll(() => isStored(world.mirror, image.digest)).toBe(true);
  });
});

describe('a manifest whose first write has failed', () => {
  test('for once: it is written with a later hit, and not with each', async () => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest');
    world.disk.code = 'EMFILE';
    expect((await world.mirror.get(PATH)).body).toEqual(Buffer.from(image.bytes));
    for (let i = 0; i < 10; i += 1) await world.mirror.get(PATH);
    expect(world.disk.refused).toBe(1);
    world.disk.code = undefined;
    world.mirror.clock.advance(5_000);
    expect(await isStored(world.mirror, image.digest)).toBe(false);
    await world.mirror.get(PATH);
    await expect.poll(() => isStored(world.mirror, image.digest)).toBe(true);
    await world.restartOffline();
    expect((await world.mirror.get(PATH)).body).toEqual(Buffer.from(image.bytes));
  });

  test('since the disk is failing: it is written when that is over', async () => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest');
    world.disk.code = 'ENOSPC';
    await world.mirror.get(PATH);
    expect(world.mirror.mirror.disk.state.state).toBe('failing');
    await world.mirror.get(PATH);
    expect(world.disk.refused).toBe(1);
    world.disk.code = undefined;
    world.mirror.clock.advance(5_000);
    await expect.poll(() => world.mirror.mirror.disk.state.state).toBe('ok');
    await world.mirror.get(PATH);
    await expect.poll(() => isStored(world.mirror, image.digest)).toBe(true);
  });
});

describe('a manifest that is pinned', () => {
  test.each(['registry.test/acme/app:latest', 'the digest', 'the repository'])(
    'and was evicted, by %s: it is stored, and so are the images of an index',
    async (reference) => {
      await using world = await start();
      const image = world.registry.putImage('acme/app', undefined);
      const index = world.registry.putIndex('acme/app', 'latest', [image.descriptor]);
      await world.mirror.get(PATH);
      await world.mirror.get(`/v2/acme/app/manifests/${image.digest}`);
      for (const { digest } of [index, image]) await evict(world.mirror, digest);
      const names: Record<string, string> = {
        'the digest': index.digest,
        'the repository': 'registry.test/acme/app',
      };
      await world.mirror.operator.pin(names[reference] ?? reference);
      expect(await isStored(world.mirror, index.digest)).toBe(true);
      expect(await isStored(world.mirror, image.digest)).toBe(true);
      expect(await world.mirror.index.closure(index.digest)).toEqual(
        expect.arrayContaining([index.digest, image.digest, image.config.digest, image.layers[0]?.digest]),
      );
    },
  );

  test('and is nowhere: the pin is set all the same', async () => {
    await using world = await start();
    const image = world.registry.putImage('acme/app', 'latest');
    await world.mirror.get(PATH);
    await evict(world.mirror, image.digest);
    await world.restartOffline();
    expect(await world.mirror.operator.pin('registry.test/acme/app:latest')).toHaveLength(1);
  });
});

test('a manifest that is deleted is not written again', async () => {
  await using world = await start();
  const image = world.registry.putImage('acme/app', 'latest');
  await world.mirror.get(PATH);
  await world.mirror.operator.remove('registry.test/acme/app');
  world.registry.down();
  expect((await world.mirror.get(PATH)).status).toBe(502);
  expect(await isStored(world.mirror, image.digest)).toBe(false);
});
