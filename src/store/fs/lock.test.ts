import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory, type TemporaryDirectory } from '../../../test/support/e2e/temporary.ts';
import { openFilesIn } from '../../../test/support/open-files.ts';
import { DirectoryLockedError, lockDirectory } from './lock.ts';

/** Locks the directory in another process, prints the outcome, and dies with the lock, as in a crash. */
const LOCK_AND_DIE = `
  const { lockDirectory } = await import(process.argv[1]);
  try {
    await lockDirectory(process.argv[2]);
    console.log('locked');
    process.kill(process.pid, 'SIGKILL');
  } catch (error) {
    console.log(error.message);
  }`;

function lockInAnotherProcess(directory: string): { readonly pid: number; readonly told: string } {
  const module = new URL('lock.ts', import.meta.url).href;
  const child = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', LOCK_AND_DIE, module, directory],
    { encoding: 'utf8' },
  );
  return { pid: child.pid, told: child.stdout.trim() };
}

describe('a directory in the place of the locked one', () => {
  it('is not the lock’s, until the locked one is back', async () => {
    await using place = await temporaryDirectory('store');
    const [path, away] = [join(place.path, 'cache'), join(place.path, 'away')];
    const lock = await lockDirectory(path);
    await lock.assertHeld();
    await rename(path, away);
    await expect(lock.assertHeld()).rejects.toMatchObject({ code: 'ENOENT' });
    await mkdir(path);
    await writeFile(join(path, 'lock.db'), '');
    await expect(lock.assertHeld()).rejects.toMatchObject({
      code: 'ESTALE',
      message: `cannot write to ${path}, which has been replaced since the start (restart Larder to use it): ESTALE`,
    });
    await rm(path, { recursive: true });
    await rename(away, path);
    await lock.assertHeld();
    await lock.release();
  });

  it('keeps its lock.json, which is about another process, when the lock is released', async () => {
    await using place = await temporaryDirectory('store');
    const path = join(place.path, 'cache');
    const lock = await lockDirectory(path);
    await rm(path, { recursive: true });
    const other = await lockDirectory(path);
    await lock.release();
    expect(await readdir(path)).toEqual(['lock.db', 'lock.json']);
    await other.release();
    expect(await readdir(path)).toEqual(['lock.db']);
  });
});

describe('lockDirectory', () => {
  let directory: TemporaryDirectory;

  beforeEach(async () => {
    directory = await temporaryDirectory('store');
  });

  afterEach(async () => {
    await directory[Symbol.asyncDispose]();
  });

  it('refuses another process, and names the one that has the directory', async () => {
    const lock = await lockDirectory(directory.path);
    expect(lockInAnotherProcess(directory.path).told).toBe(
      `the cache directory ${directory.path} is in use by process ${process.pid} on ${hostname()}: ` +
        'stop it, or choose another directory',
    );
    await lock.release();
    expect(lockInAnotherProcess(directory.path).told).toBe('locked');
  });

  it('refuses the same process too', async () => {
    const lock = await lockDirectory(directory.path);
    const error = await lockDirectory(directory.path).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DirectoryLockedError);
    expect(error).toMatchObject({
      message: expect.stringContaining(`is in use by process ${process.pid} on ${hostname()}: `),
      holder: { pid: process.pid, host: hostname() },
    });
    await lock.release();
  });

  it('is released by a crash', async () => {
    const { told, pid } = lockInAnotherProcess(directory.path);
    expect(told).toBe('locked');
    const holderPath = join(directory.path, 'lock.json');
    expect(JSON.parse(await readFile(holderPath, 'utf8'))).toMatchObject({ pid });
    const lock = await lockDirectory(directory.path);
    expect(JSON.parse(await readFile(holderPath, 'utf8'))).toMatchObject({ pid: process.pid });
    await lock.release();
  });

  it('may be released twice, and taken again', async () => {
    const lock = await lockDirectory(directory.path);
    await lock.release();
    const again = await lockDirectory(directory.path);
    await lock.release();
    expect(lockInAnotherProcess(directory.path).told).toMatch(/is in use/u);
    await again.release();
  });

  it.each(['', 'not JSON', '{"pid": "one"}', '{"pid": 1}', '{"host": "h"}', 'null'])(
    'refuses though lock.json holds %j',
    async (text) => {
      const lock = await lockDirectory(directory.path);
      await writeFile(join(directory.path, 'lock.json'), text);
      await expect(lockDirectory(directory.path)).rejects.toThrow('is in use by another process');
      await lock.release();
    },
  );

  it('writes nothing into the lock file, and leaves only that', async () => {
    const lock = await lockDirectory(directory.path);
    expect((await stat(join(directory.path, 'lock.db'))).size).toBe(0);
    await lock.release();
    expect(await readdir(directory.path)).toEqual(['lock.db']);
  });

  it('creates files that other users cannot read', async () => {
    const lock = await lockDirectory(directory.path);
    for (const name of ['lock.db', 'lock.json']) {
      expect((await stat(join(directory.path, name))).mode & 0o777).toBe(0o600);
    }
    await lock.release();
  });

  it('does not keep the lock if its holder cannot be written down', async () => {
    const holderPath = join(directory.path, 'lock.json');
    await mkdir(holderPath);
    await expect(lockDirectory(directory.path)).rejects.toMatchObject({ code: 'EISDIR' });
    await rm(holderPath, { recursive: true });
    const lock = await lockDirectory(directory.path);
    await lock.release();
  });

  it('releases the lock even if lock.json cannot be deleted, and reports that', async () => {
    const lock = await lockDirectory(directory.path);
    const holderPath = join(directory.path, 'lock.json');
    await rm(holderPath);
    await mkdir(holderPath);
    await expect(lock.release()).rejects.toThrow(`cannot delete ${holderPath}`);
    await rm(holderPath, { recursive: true });
    const again = await lockDirectory(directory.path);
    await again.release();
  });

  it('creates the directory', async () => {
    const lock = await lockDirectory(join(directory.path, 'a', 'b'));
    await lock.release();
    expect(await readdir(join(directory.path, 'a', 'b'))).toEqual(['lock.db']);
  });

  it('says why a directory cannot be locked', async () => {
    const file = join(directory.path, 'file');
    await writeFile(file, '');
    await expect(lockDirectory(file)).rejects.toThrow('it is not a directory');
    await writeFile(join(directory.path, 'lock.db'), 'something else'.repeat(100));
    await expect(lockDirectory(directory.path)).rejects.toThrow(/lock.db \(file is not a database\)/u);
    expect(await openFilesIn(directory.path)).toEqual([]);
  });
});
