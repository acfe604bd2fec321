import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { digestOf, type Digest } from '../../../src/oci/digest.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../../support/e2e/temporary.ts';
import { readByteranges } from '../../support/byteranges.ts';
import { startFakeRegistry, type FakeRegistry } from '../../support/fake-registry.ts';
import { startMirror, type MirrorFixture } from '../../support/mirror-fixture.ts';
import { stallAfter } from '../../support/scripted-reply.ts';
import { canMount, temporaryFileSystem } from '../../support/temporary-file-system.ts';

const MiB = 1024 * 1024;

const isMountable = await canMount();
if (!isMountable) console.warn('skipped: file systems that fill up, since nothing may be mounted here');

interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly mirror: MirrorFixture;
  readonly directory: string;
}

async function start(disk: TemporaryDirectory): Promise<World> {
  await using stack = new AsyncDisposableStack();
  stack.use(disk);
  const registry = stack.use(await startFakeRegistry());
  const directory = join(disk.path, 'cache');
  const mirror = stack.use(
    await startMirror({ directory, upstreams: [{ name: 'registry.test', registry }], marks: {} }),
  );
  const owned = stack.move();
  return { registry, mirror, directory, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

interface Blob {
  readonly digest: Digest;
  readonly content: Buffer;
  readonly path: string;
}

function putBlob(registry: FakeRegistry, bytes: number): Blob {
  const content = randomBytes(bytes);
  const { digest } = registry.putBlob('acme/app', content);
  return { digest, content, path: `/v2/acme/app/blobs/${digest}` };
}

/** @returns the Cache-Status of the answer, which must be right */
async function pull({ mirror }: World, { path, digest }: Blob): Promise<string> {
  const { body, complete, headers } = await mirror.get(path);
  expect([complete, digestOf(body)]).toEqual([true, digest]);
  return String(headers['cache-status']);
}

function gets({ registry }: World, { digest }: Blob): number {
  return registry.count({ kind: 'blob', method: 'GET', digest });
}

/** Somebody else fills the disk up to so many bytes. */
async function takeAllBut(directory: string, bytes: number): Promise<string> {
  const { bavail, bsize } = await statfs(directory);
  const path = join(directory, '..', 'somebody-else');
  await writeFile(path, Buffer.alloc(bavail * bsize - bytes));
  return path;
}

function diskChanges({ mirror }: World): string[] {
  return mirror.events.flatMap((event) => (event.kind === 'disk-changed' ? [event.state] : []));
}

async function recover({ mirror }: World): Promise<void> {
  mirror.clock.advance(5_000);
  await expect.poll(() => mirror.mirror.disk.error).toBeUndefined();
}

const MISS = 'larder; fwd=uri-miss; stored';
const HIT = 'larder; hit';

describe.skipIf(!isMountable)('a disk that is full in the middle of a fill', () => {
  test('costs no client a byte; the next ones go through, once each; and it recovers', async () => {
    await using world = await start(await temporaryFileSystem('size=16m'));
    const { registry, mirror, directory } = world;
    const warm = putBlob(registry, MiB);
    const [first, second, third] = [
      putBlob(registry, 6 * MiB),
      putBlob(registry, MiB),
      putBlob(registry, MiB),
    ];
    await pull(world, warm);
    const others = await takeAllBut(directory, 4 * MiB);
    // More than the store could make room for: nothing is evicted for it.
    const all = await Promise.all(Array.from({ length: 5 }, () => pull(world, first)));
    expect(all).toHaveLength(5);
    expect(diskChanges(world)).toEqual(['failing']);
    expect(mirror.mirror.disk.error).toMatchObject({ code: 'ENOSPC' });

    expect(await pull(world, second)).toBe('larder; fwd=uri-miss; detail="store: ENOSPC"');
    expect([await pull(world, warm), gets(world, second), gets(world, warm)]).toEqual([HIT, 1, 1]);
    const ready = await mirror.get('/readyz');
    expect([ready.status, JSON.parse(ready.body.toString())]).toMatchObject([
      200,
      { status: 'ready', disk: { state: 'failing', reason: expect.stringContaining('ENOSPC') } },
    ]);

    await rm(others);
    await recover(world);
    expect([await pull(world, third), await pull(world, third)]).toEqual([MISS, HIT]);
    expect([await pull(world, first), await pull(world, first)]).toEqual([MISS, HIT]);
    expect(diskChanges(world)).toEqual(['failing', 'ok']);
    expect(await mirror.files('ingest')).toEqual([]);
  });

  test('has what was used least recently evicted, and then takes new blobs', async () => {
    await using world = await start(await temporaryFileSystem('size=32m'));
    const { registry, mirror, directory } = world;
    const blobs = Array.from({ length: 4 }, () => putBlob(registry, 3 * MiB));
    for (const blob of blobs) {
      mirror.clock.advance(60_000);
      await pull(world, blob);
    }
    await takeAllBut(directory, MiB);
    const next = putBlob(registry, 5 * MiB);
    await pull(world, next);
    await mirror.evictor.idle();
    expect(
      await Promise.all(blobs.map(async ({ digest }) => (await mirror.store.stat(digest)) !== undefined)),
    ).toEqual([false, false, true, true]);
    await recover(world);
    expect([await pull(world, next), await pull(world, next)]).toEqual([MISS, HIT]);
  });

  test('hands a range through as a range', async () => {
    await using world = await start(await temporaryFileSystem('size=16m'));
    const { registry, mirror, directory } = world;
    const image = registry.putImage('acme/app', 'latest', { layers: [randomBytes(3 * MiB)] });
    await mirror.get('/v2/acme/app/manifests/latest');
    await takeAllBut(directory, MiB);
    await pull(world, putBlob(registry, 2 * MiB));
    const [layer] = image.layers;
    const path = `/v2/acme/app/blobs/${layer?.digest}`;
    const whole = (await mirror.get(path)).body;
    for (const [range, from, to] of [
      ['bytes=1000000-1999999', 1_000_000, 2_000_000],
      ['bytes=1000000-', 1_000_000, 3 * MiB],
      ['bytes=-1000', 3 * MiB - 1000, 3 * MiB],
    ] as const) {
      const answer = await mirror.get(path, { headers: { range } });
      expect([answer.status, answer.body.equals(whole.subarray(from, to))]).toEqual([206, true]);
      expect(registry.requests.at(-1)?.headers.range).toBe(`bytes=${from}-${to - 1}`);
    }
    // Several ranges: each part is asked for by itself.
    const before = registry.requests.length;
    const several = await mirror.get(path, { headers: { range: 'bytes=1000-1999,-10' } });
    const parts = readByteranges(several.body, several.headers['content-type']);
    expect(Buffer.concat(parts.map(({ bytes }) => bytes))).toEqual(
      Buffer.concat([whole.subarray(1000, 2000), whole.subarray(-10)]),
    );
    expect(
      registry.requests.slice(before).map(({ headers, bytesSent }) => [headers.range, bytesSent]),
    ).toEqual([
      ['bytes=1000-1999', 1000],
      [`bytes=${3 * MiB - 10}-${3 * MiB - 1}`, 10],
    ]);
    const scattered = Array.from({ length: 17 }, (_, i) => `${i * 100_000}-${i * 100_000}`).join();
    const many = await mirror.get(path, { headers: { range: `bytes=${scattered}` } });
    expect([many.status, many.body.equals(whole)]).toEqual([200, true]);
    expect(registry.requests.at(-1)?.headers.range).toBeUndefined();
    // The whole can be verified, a part cannot: so it is not asked for as one.
    expect((await mirror.get(path, { headers: { range: 'bytes=0-' } })).status).toBe(206);
    expect(registry.requests.at(-1)?.headers.range).toBeUndefined();
    expect((await mirror.get(path, { headers: { range: 'bytes=99999999-' } })).status).toBe(416);
  });

  test('keeps manifests in memory, and writes them again later', async () => {
    await using world = await start(await temporaryFileSystem('size=16m'));
    const { registry, mirror, directory } = world;
    const others = await takeAllBut(directory, MiB);
    await pull(world, putBlob(registry, 2 * MiB));
    const before = registry.putImage('acme/app', 'before');
    for (let i = 0; i < 2; i += 1) await mirror.get('/v2/acme/app/manifests/before');
    expect(registry.count({ kind: 'manifest', method: 'GET' })).toBe(1);
    expect(await mirror.store.stat(before.digest)).toBeUndefined();
    await rm(others);
    await recover(world);
    const after = registry.putImage('acme/app', 'after', { config: { after: true } });
    await mirror.get('/v2/acme/app/manifests/after');
    expect(await mirror.store.stat(after.digest)).toBeDefined();
  });

  test('what upstream refuses meanwhile is 404, and asked for once in negativeTtl', async () => {
    await using world = await start(await temporaryFileSystem('size=16m'));
    await takeAllBut(world.directory, MiB);
    await pull(world, putBlob(world.registry, 2 * MiB));
    const missing = digestOf('missing');
    for (let i = 0; i < 3; i += 1) {
      expect((await world.mirror.get(`/v2/acme/app/blobs/${missing}`)).status).toBe(404);
    }
    expect(world.registry.count({ kind: 'blob', digest: missing })).toBe(1);
  });

  test('a running fill of another blob goes on', async () => {
    await using world = await start(await temporaryFileSystem('size=16m'));
    const { registry, directory } = world;
    const slow = putBlob(registry, 2 * MiB);
    const stalled = stallAfter(MiB);
    registry.fault({ digest: slow.digest }, stalled);
    const pulling = pull(world, slow);
    await stalled.reached;
    const others = await takeAllBut(directory, 2 * MiB);
    await pull(world, putBlob(registry, 4 * MiB));
    expect(world.mirror.mirror.disk.error).toBeDefined();
    await rm(others);
    stalled.release();
    await pulling;
    await expect.poll(() => world.mirror.mirror.fills.size).toBe(0);
    expect(await pull(world, slow)).toBe(HIT);
  });
});

describe.skipIf(!isMountable)('a disk that becomes read-only', () => {
  test('passes through what is cold, serves what is warm, and recovers', async () => {
    await using world = await start(await temporaryFileSystem('size=16m'));
    const { registry, directory } = world;
    const [warm, cold, colder] = [putBlob(registry, MiB), putBlob(registry, MiB), putBlob(registry, MiB)];
    await pull(world, warm);
    const ingest = join(directory, 'ingest');
    // As when the kernel has remounted a broken disk: nobody can open a file for writing.
    await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', 'ro', 'larder-test', ingest]);
    await pull(world, cold);
    expect(world.mirror.mirror.disk.error).toMatchObject({ code: 'EROFS' });
    expect(await pull(world, colder)).toBe('larder; fwd=uri-miss; detail="store: EROFS"');
    expect([await pull(world, warm), gets(world, colder), gets(world, warm)]).toEqual([HIT, 1, 1]);
    await promisify(execFile)('umount', [ingest]);
    await recover(world);
    expect([await pull(world, colder), await pull(world, colder)]).toEqual([MISS, HIT]);
  });
});

describe('a cache directory that vanishes', () => {
  test('costs the cache, and nobody a pull', async () => {
    await using world = await start(await temporaryDirectory('vanishing'));
    const { registry, mirror, directory } = world;
    const image = registry.putImage('acme/app', 'latest');
    const [warm, cold] = [putBlob(registry, MiB), putBlob(registry, MiB)];
    await mirror.get('/v2/acme/app/manifests/latest');
    await pull(world, warm);
    await rm(directory, { recursive: true });
    await pull(world, warm);
    expect(mirror.mirror.disk.error).toMatchObject({ code: 'ENOENT' });
    for (let i = 0; i < 3; i += 1) await pull(world, cold);
    expect(gets(world, cold)).toBe(3);
    expect(digestOf((await mirror.get('/v2/acme/app/manifests/latest')).body)).toBe(image.digest);
    const other = registry.putImage('acme/app', 'other', { config: { other: true } });
    expect(digestOf((await mirror.get('/v2/acme/app/manifests/other')).body)).toBe(other.digest);
    mirror.clock.advance(60_000);
    await mirror.evictor.idle();
    await pull(world, cold);
    expect(diskChanges(world)).toEqual(['failing']);
  });
});
