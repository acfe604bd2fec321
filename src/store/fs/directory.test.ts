import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory, type TemporaryDirectory } from '../../../test/support/e2e/temporary.ts';
import { canMount, temporaryFileSystem } from '../../../test/support/temporary-file-system.ts';
import { createDirectory } from './directory.ts';
import { openFileStore } from './file-store.ts';

describe('a directory that is not usable', () => {
  let directory: TemporaryDirectory;

  beforeEach(async () => {
    directory = await temporaryDirectory('store');
  });

  afterEach(async () => {
    await directory[Symbol.asyncDispose]();
  });

  /** Returns the message of the refusal, without the path. */
  async function refusal(path: string): Promise<string> {
    const { message } = await openFileStore({ directory: path }).then(
      () => expect.fail('should have been refused'),
      (error: Error) => error,
    );
    expect(message).toContain(path);
    return message.replace(path, 'X');
  }

  it('may be a file', async () => {
    const path = join(directory.path, 'file');
    await writeFile(path, '');
    expect(await refusal(path)).toBe('cannot use X as the cache directory (it is not a directory): ENOTDIR');
  });

  it('may be in a file', async () => {
    await writeFile(join(directory.path, 'file'), '');
    expect(await refusal(join(directory.path, 'file', 'cache'))).toBe(
      'cannot use X as the cache directory (something on the way to it is not a directory): ENOTDIR',
    );
  });

  it('may have a file where a folder belongs', async () => {
    await writeFile(join(directory.path, 'blobs'), '');
    expect(await refusal(directory.path)).toMatch(/not a directory.*ENOTDIR/u);
  });

  it.each([0o500, 0o000])('may have the mode %o', async (mode) => {
    const path = join(directory.path, 'cache');
    await mkdir(path);
    await chmod(path, mode);
    await chmod(directory.path, 0o755);
    expect(await asNobody(() => refusal(path))).toBe(
      'cannot use X as the cache directory (no permission to write there): EACCES',
    );
  });

  it('may be where nothing can be created', async () => {
    expect(await refusal(join('/proc', 'larder'))).toMatch(/^cannot use X as the cache directory \(/u);
  });
});

it('a directory that another program creates at the same time is accepted', async () => {
  await using directory = await temporaryDirectory('store');
  const path = join(directory.path, 'above', 'cache');
  await Promise.all([createDirectory(path), createDirectory(path)]);
  expect((await stat(path)).isDirectory()).toBe(true);
});

it('a directory is created even if its parent may not be read, and so cannot be synced', async () => {
  await using directory = await temporaryDirectory('store');
  await chmod(directory.path, 0o733);
  const path = join(directory.path, 'cache');
  await asNobody(() => createDirectory(path));
  expect((await stat(path)).isDirectory()).toBe(true);
});

/** Runs `work` as another user if the tests run as root, since root may write everywhere. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid!(65_534);
  try {
    return await work();
  } finally {
    process.seteuid!(0);
  }
}

const mountable = (await canMount()) ? ['a read-only file system'] : [];

it.each(mountable)('a cache directory on %s is refused', async () => {
  await using readOnly = await temporaryFileSystem('size=64k,ro');
  await expect(openFileStore({ directory: readOnly.path })).rejects.toThrow(
    `cannot use ${readOnly.path} as the cache directory (it is on a read-only file system): EROFS`,
  );
});

it.each(mountable)('a directory cannot be created on %s', async () => {
  await using readOnly = await temporaryFileSystem('size=64k,ro');
  await expect(createDirectory(join(readOnly.path, 'a', 'b'))).rejects.toMatchObject({ code: 'EROFS' });
});
