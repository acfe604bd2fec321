/** What there is no room for is passed on, not kept, and nothing goes for it. */
import { randomBytes } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Digest } from '../../../src/oci/digest.ts';
import type { BlobStore } from '../../../src/store/blob-store.ts';
import { StoreError } from '../../../src/store/error.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { readAnswer } from '../../support/http-get.ts';
import { startMirror, type MirrorFixture, type MirrorFixtureOptions } from '../../support/mirror-fixture.ts';
import { chunked, flip, stallAfter } from '../../support/scripted-reply.ts';

const MiB = 1024 * 1024;

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
}

async function start(options: Partial<MirrorFixtureOptions> = {}): Promise<World> {
  const registry = await startFakeRegistry();
  const mirror = await startMirror({ upstreams: [{ name: 'registry.test', registry }], ...options });
  return {
    registry,
    mirror,
    async [Symbol.asyncDispose]() {
      await mirror[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** A disk that holds the cache alone; `low` is the least that was ever free on it, as far as was asked. */
function diskOf(size: number) {
  const disk = { low: size, freeBytes };
  async function freeBytes(directory: string): Promise<number> {
    const sizes = await Promise.all(
      ['ingest', 'blobs/sha256'].map((folder) => bytesIn(join(directory, folder))),
    );
    const free = size - sizes.reduce((sum, bytes) => sum + bytes, 0);
    disk.low = Math.min(disk.low, free);
    return free;
  }
  return disk;
}

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (file) => file.size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function put({ registry }: World, size: number): { digest: Digest; content: Buffer; path: string } {
  const content = randomBytes(size);
  const { digest } = registry.putBlob('acme/app', content);
  return { digest, content, path: `/v2/acme/app/blobs/${digest}` };
}

/** Something that was pulled before, and is asked for all the time. */
async function cacheHot(world: World): Promise<{ path: string; digest: Digest }> {
  const hot = put(world, 6 * MiB);
  expect((await world.mirror.get(hot.path)).complete).toBe(true);
  return hot;
}

function gets({ registry }: World, digest: Digest): number {
  return registry.count({ kind: 'blob', method: 'GET', digest });
}

async function expectHit({ mirror }: World, path: string): Promise<void> {
  expect((await mirror.get(path)).headers['cache-status']).toBe('larder; hit');
}

describe.each([
  ['a cap', { marks: { maxSize: 10 * MiB } }],
  ['a disk that has to keep some bytes free', { marks: { minFree: 4 * MiB }, freeBytes: 14 * MiB }],
] as const)('with %s', (_, { marks, freeBytes }: { marks: object; freeBytes?: number }) => {
  const options = () => {
    const disk = diskOf(freeBytes ?? 1000 * MiB);
    return { disk, marks, freeBytes: (directory: string) => disk.freeBytes(directory) };
  };

  test('a blob of unknown length and without end is passed on: what is hot stays, and others are pulled', async () => {
    const { disk, ...settings } = options();
    await using world = await start(settings);
    const hot = await cacheHot(world);
    const endless = put(world, 24 * MiB);
    const stalled = stallAfter(20 * MiB);
    world.registry.fault({ digest: endless.digest }, chunked(), stalled);
    const clients = [await world.mirror.open(endless.path), await world.mirror.open(endless.path)];
    const answers = clients.map((incoming) => readAnswer(incoming));
    await stalled.reached;
    await world.mirror.evictor.idle();
    await expectHit(world, hot.path);
    const other = put(world, MiB);
    expect((await world.mirror.get(other.path)).body.equals(other.content)).toBe(true);
    await expect.poll(() => world.mirror.files('ingest')).toEqual([]);
    stalled.release();
    for (const answer of await Promise.all(answers)) expect(answer.body.equals(endless.content)).toBe(true);
    expect(gets(world, endless.digest)).toBe(1);
    await expectHit(world, hot.path);
    expect(disk.low).toBeGreaterThanOrEqual(4 * MiB);
  });

  test('a blob that says that it is too large is passed on from its first byte', async () => {
    const { disk, ...settings } = options();
    await using world = await start(settings);
    const hot = await cacheHot(world);
    const large = put(world, 24 * MiB);
    const stalled = stallAfter(MiB);
    world.registry.fault({ digest: large.digest }, stalled);
    const clients = [
      world.mirror.open(large.path),
      world.mirror.open(large.path),
      world.mirror.open(large.path),
    ];
    const answers = (await Promise.all(clients)).map((incoming) => readAnswer(incoming));
    await stalled.reached;
    stalled.release();
    for (const answer of await Promise.all(answers)) {
      expect(answer.headers['content-length']).toBe(String(24 * MiB));
      expect(answer.headers['cache-status']).not.toContain('stored');
      expect([answer.complete, answer.body.equals(large.content)]).toEqual([true, true]);
    }
    expect(gets(world, large.digest)).toBe(1);
    // It is what the operator has asked for, and no failure of the disk.
    expect(world.mirror.events.filter(({ kind }) => kind === 'store-failed')).toEqual([]);
    await world.mirror.evictor.idle();
    await expectHit(world, hot.path);
    expect(disk.low).toBeGreaterThanOrEqual(4 * MiB);
  });

  test('wrong bytes that are passed on are found out all the same', async () => {
    const { disk: _disk, ...settings } = options();
    await using world = await start(settings);
    const large = put(world, 24 * MiB);
    world.registry.fault({ digest: large.digest }, flip(23 * MiB));
    expect((await world.mirror.get(large.path)).complete).toBe(false);
  });

  test('one of unknown length that fits is kept', async () => {
    const { disk: _disk, ...settings } = options();
    await using world = await start(settings);
    const blob = put(world, 3 * MiB);
    world.registry.fault({ digest: blob.digest }, chunked());
    expect((await world.mirror.get(blob.path)).body.equals(blob.content)).toBe(true);
    await expectHit(world, blob.path);
  });

  test('another repository of the upstream does not wait for the end of what is passed on', async () => {
    await using world = await start(options());
    const endless = put(world, 24 * MiB);
    world.registry.putBlob('acme/other', endless.content);
    const stalled = stallAfter(20 * MiB);
    world.registry.fault({ digest: endless.digest, repository: 'acme/app' }, chunked(), stalled);
    world.registry.fault({ digest: endless.digest, repository: 'acme/other' }, chunked());
    const first = readAnswer(await world.mirror.open(endless.path));
    const other = world.mirror.get(endless.path.replace('acme/app', 'acme/other'));
    await stalled.reached;
    expect((await other).body.equals(endless.content)).toBe(true);
    stalled.release();
    expect((await first).complete).toBe(true);
  });

  test('clients that leave end what is passed on to them', async () => {
    const { disk: _disk, ...settings } = options();
    await using world = await start(settings);
    const large = put(world, 24 * MiB);
    const stalled = stallAfter(MiB);
    world.registry.fault({ digest: large.digest }, stalled);
    const incoming = await world.mirror.open(large.path);
    incoming.resume();
    await stalled.reached;
    incoming.destroy();
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
    await expect.poll(() => world.mirror.store.held).toEqual([]);
    stalled.release();
  });

  test('a range of what is passed on comes by itself', async () => {
    const { disk: _disk, ...settings } = options();
    await using world = await start(settings);
    const large = put(world, 24 * MiB);
    const answer = await world.mirror.get(large.path, { headers: { range: `bytes=${5 * MiB}-${6 * MiB}` } });
    expect(answer.status).toBe(206);
    expect(answer.body.equals(large.content.subarray(5 * MiB, 6 * MiB + 1))).toBe(true);
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
  });
});

describe('a store that fails in the middle of a fill', () => {
  function failingAfter(limit: number): (store: BlobStore) => BlobStore {
    return (store) => ({
      ...store,
      async ingest(expected) {
        const ingest = await store.ingest(expected);
        const write = ingest.write.bind(ingest);
        ingest.write = async (chunks) => {
          if (ingest.offset >= limit) {
            const error = new StoreError('write a blob', { code: 'ENOSPC' });
            await ingest.abort(error);
            throw error;
          }
          await write(chunks);
        };
        return ingest;
      },
    });
  }

  test('leaves its followers one transfer together, whoever is behind by a little', async () => {
    await using world = await start({ wrapStore: failingAfter(2 * MiB) });
    const blob = put(world, 12 * MiB);
    const stalled = stallAfter(MiB);
    world.registry.fault({ digest: blob.digest }, stalled);
    const incoming = await Promise.all(Array.from({ length: 10 }, () => world.mirror.open(blob.path)));
    const answers = incoming.map((answer) => readAnswer(answer));
    await stalled.reached;
    stalled.release();
    for (const answer of await Promise.all(answers)) {
      expect([answer.complete, answer.body.equals(blob.content)]).toEqual([true, true]);
    }
    expect(gets(world, blob.digest)).toBe(1);
    expect(await world.mirror.files('blobs/sha256')).toEqual([]);
  });

  test('a client that takes nothing holds the others for seconds only, and goes on by itself', async () => {
    await using world = await start({ wrapStore: failingAfter(2 * MiB) });
    const blob = put(world, 40 * MiB);
    const stalled = stallAfter(MiB);
    world.registry.fault({ digest: blob.digest, times: 1 }, stalled);
    const lazy = await world.mirror.open(blob.path);
    const eager = readAnswer(await world.mirror.open(blob.path));
    await stalled.reached;
    stalled.release();
    let isOver = false;
    void eager.then(() => {
      isOver = true;
    });
    await expect
      .poll(() => {
        world.mirror.clock.advance(1_000);
        return isOver;
      })
      .toBe(true);
    expect((await eager).body.equals(blob.content)).toBe(true);
    expect((await readAnswer(lazy)).body.equals(blob.content)).toBe(true);
    expect(gets(world, blob.digest)).toBe(2);
  });
});
