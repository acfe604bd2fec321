import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory, type TemporaryDirectory } from '../../test/support/e2e/temporary.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { canMount, temporaryFileSystem } from '../../test/support/temporary-file-system.ts';
import { migrate } from '../index/sqlite/migrate.ts';
import { MIGRATIONS } from '../index/sqlite/schema.ts';
import { digestOf } from '../oci/digest.ts';
import { quarantineOf } from '../store/capabilities.ts';
import { StoreError } from '../store/error.ts';
import { openCacheDirectory, type CacheDirectory, type IndexOptions } from './cache-directory.ts';

const isMountable = await canMount();
if (!isMountable) console.warn('skipped: broken devices, since nothing may be mounted here');
function open(
  directory: string,
  {
    maxSize,
    quarantine = 1024 ** 3,
    ...options
  }: { maxSize?: number; quarantine?: number } & Partial<IndexOptions> = {},
): Promise<CacheDirectory> {
  return openCacheDirectory({ directory, maxSize, quarantine }, { clock: new ManualClock(), ...options });
}

const BLOB = { digest: digestOf('blob'), size: 4 };

describe('a cache directory', () => {
  let temporary: TemporaryDirectory;
  beforeEach(async () => {
    temporary = await temporaryDirectory('cache');
    return () => temporary[Symbol.asyncDispose]();
  });

  it('is created, and is there again the next time', async () => {
    const directory = join(temporary.path, 'a', 'cache');
    const first = await open(directory);
    expect(first.error).toBeUndefined();
    await first.index.putBlob(BLOB, 1);
    await first.close();
    const second = await open(directory, { maxSize: 1000 });
    expect(await second.index.stats()).toEqual({ blobs: 1, bytes: 4 });
    await second.close();
  });

  it('belongs to one process', async () => {
    const cache = await open(temporary.path);
    await expect(open(temporary.path)).rejects.toThrow('in use by process');
    await cache.close();
    await (await open(temporary.path)).close();
  });

  it('is its user’s alone, whatever the umask, and with files that were there before', async () => {
    const before = process.umask(0);
    try {
      const directory = join(temporary.path, 'a', 'cache');
      await mkdir(directory, { recursive: true });
      for (const name of ['index.db', 'lock.db']) await writeFile(join(directory, name), '', { mode: 0o644 });
      await (await open(directory)).close();
      await rm(join(directory, 'lock.db'));
      const cache = await open(directory);
      await cache.index.putBlob(BLOB, 1);
      const entries = await readdir(directory);
      expect(entries).toEqual(
        expect.arrayContaining(['index.db', 'index.db-shm', 'index.db-wal', 'lock.db']),
      );
      for (const entry of entries) {
        const stats = await stat(join(directory, entry));
        expect([entry, stats.mode & 0o777]).toEqual([entry, stats.isDirectory() ? 0o700 : 0o600]);
      }
      await cache.close();
      const made = join(temporary.path, 'b', 'cache');
      await (await open(made)).close();
      for (const path of [made, dirname(made)]) expect((await stat(path)).mode & 0o777).toBe(0o700);
    } finally {
      process.umask(before);
    }
  });

  it('makes an index in the place of a damaged one as private as that', async () => {
    await writeFile(join(temporary.path, 'index.db'), 'no database '.repeat(200), { mode: 0o644 });
    const cache = await open(temporary.path);
    for (const name of await readdir(temporary.path)) {
      if (!name.startsWith('index.db')) continue;
      expect([name, (await stat(join(temporary.path, name))).mode & 0o777]).toEqual([name, 0o600]);
    }
    await cache.close();
  });

  it('is left alone if another one has taken its place', async () => {
    const directory = join(temporary.path, 'cache');
    const first = await open(directory);
    await rm(directory, { recursive: true });
    const second = await open(directory);
    const bytes = Buffer.from('blob');
    await using ingest = await second.store.ingest(BLOB);
    await ingest.write([bytes]);
    await ingest.commit();
    const isStale = { name: 'StoreError', code: 'ESTALE' };
    await expect(first.store.ingest(BLOB)).rejects.toMatchObject(isStale);
    await expect(first.store.delete(BLOB.digest)).rejects.toMatchObject(isStale);
    await expect(quarantineOf(first.store).setAside(BLOB.digest)).rejects.toMatchObject(isStale);
    await first.close();
    expect(await second.store.stat(BLOB.digest)).toEqual(BLOB);
    expect(await readdir(directory)).toContain('lock.json');
    await second.close();
  });

  it.each([
    ['a twentieth of the cache', { maxSize: 1000 }, 30],
    ['as much as it is told to', { quarantine: 40 }, 30],
    ['nothing, if it is told to', { quarantine: 0 }, 0],
  ])('keeps of what failed verification at most %s', async (_, limits, bytes) => {
    const cache = await open(temporary.path, limits);
    const { store } = cache;
    for (const text of ['x'.repeat(30), 'y'.repeat(30)]) {
      await using ingest = await store.ingest({ digest: BLOB.digest, size: 30 });
      await ingest.write([Buffer.from(text)]);
      await expect(ingest.commit()).rejects.toThrow('digest');
    }
    expect(await quarantineOf(store).stats()).toMatchObject({ bytes });
    await cache.close();
  });

  it('that is a file is refused', async () => {
    const path = join(temporary.path, 'file');
    await writeFile(path, '');
    for (const directory of [path, join(path, 'below')]) {
      const opening = open(directory);
      await expect(opening).rejects.toThrow('not a directory');
    }
  });

  it('with an index of an older version tells that it is being upgraded, before it begins, and that it was', async () => {
    const database = new DatabaseSync(join(temporary.path, 'index.db'));
    migrate(database, 'test', MIGRATIONS.slice(0, 4));
    database.close();
    const told: unknown[] = [];
    const onUpgrade = (...versions: number[]): unknown => told.push(['upgraded', ...versions]);
    const onUpgradeBegun = async (...versions: number[]): Promise<void> => {
      await setImmediate();
      told.push(['begun', ...versions]);
    };
    for (let start = 0; start < 2; start += 1) {
      await (await open(temporary.path, { onUpgrade, onUpgradeBegun })).close();
    }
    expect(told).toEqual([
      ['begun', 4, MIGRATIONS.length],
      ['upgraded', 4, MIGRATIONS.length],
    ]);
  });

  it('whose index is no database gets an empty one', async () => {
    await writeFile(
      join(temporary.path, 'index.db'),
      'not a database, but long enough to be told from one'.repeat(40),
    );
    const told: string[] = [];
    const cache = await open(temporary.path, { onIndexReplaced: (_, setAside) => void told.push(setAside) });
    expect(await cache.index.stats()).toEqual({ blobs: 0, bytes: 0 });
    expect(told).toEqual([expect.stringContaining('index.db.damaged-')]);
    await cache.close();
  });
});

describe.skipIf(!isMountable)('a cache directory whose device fails', () => {
  let device: TemporaryDirectory;
  afterEach(() => device[Symbol.asyncDispose]());

  async function expectPassThrough(directory: string, code: string): Promise<void> {
    const cache = await open(directory);
    const { store, index, error } = cache;
    expect(error).toBeInstanceOf(StoreError);
    expect(error?.code).toBe(code);
    await expect(store.ingest(BLOB)).rejects.toBe(error);
    expect(await store.open(BLOB.digest)).toBeUndefined();
    expect(await store.stat(BLOB.digest)).toBeUndefined();
    expect(await store.delete(BLOB.digest)).toBe(false);
    expect(await quarantineOf(store).setAside(BLOB.digest)).toBe(false);
    expect(await quarantineOf(store).stats()).toEqual({ blobs: 0, bytes: 0, digests: [] });
    for await (const blob of store.list()) expect(blob).toBeUndefined();
    await index.putBlob(BLOB, 1);
    expect(await index.stats()).toEqual({ blobs: 1, bytes: 4 });
    await cache.close();
  }

  it('is bypassed if it is read-only', async () => {
    device = await temporaryFileSystem('size=4m,ro');
    await expectPassThrough(device.path, 'EROFS');
  });

  it('is bypassed if it has become read-only', async () => {
    device = await temporaryFileSystem('size=4m');
    await (await open(device.path)).close();
    await promisify(execFile)('mount', ['-o', 'remount,ro', device.path]);
    await expectPassThrough(device.path, 'EROFS');
  });

  it('is bypassed if its disk is full', async () => {
    device = await temporaryFileSystem('size=1m');
    const directory = join(device.path, 'cache');
    await mkdir(directory);
    await takeAll(device.path);
    await expectPassThrough(directory, 'ENOSPC');
  });

  it('is used once there is room', async () => {
    device = await temporaryFileSystem('size=4m');
    const directory = join(device.path, 'cache');
    await (await open(directory)).close();
    const others = await takeAll(device.path);
    await expectPassThrough(directory, 'ENOSPC');
    await writeFile(others, '');
    const cache = await open(directory);
    expect(cache.error).toBeUndefined();
    await cache.close();
    await expect(readFile(join(directory, 'lock.json'))).rejects.toThrow('ENOENT');
  });
});

/** Fills the disk, as another program might. */
async function takeAll(directory: string): Promise<string> {
  const { bavail, bsize } = await statfs(directory);
  const path = join(directory, 'somebody-else');
  await writeFile(path, Buffer.alloc(bavail * bsize));
  return path;
}
