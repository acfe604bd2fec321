import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../../test/support/e2e/temporary.ts';
import { openFilesIn } from '../../../test/support/open-files.ts';
import { makeDatabasePrivate } from './private-file.ts';

const PARTS = ['index.db', 'index.db-wal', 'index.db-shm'];

test('a database’s file is created, empty, for this user alone', async () => {
  await using directory = await temporaryDirectory('store');
  const path = join(directory.path, 'index.db');
  await makeDatabasePrivate(path);
  expect(await readdir(directory.path)).toEqual(['index.db']);
  const { size, mode } = await stat(path);
  expect([size, mode & 0o777]).toEqual([0, 0o600]);
  expect(await openFilesIn(directory.path)).toEqual([]);
});

test('existing files keep their bytes, and become unreadable to other users', async () => {
  await using directory = await temporaryDirectory('store');
  for (const name of PARTS) {
    await writeFile(join(directory.path, name), name);
    await chmod(join(directory.path, name), 0o644);
  }
  await makeDatabasePrivate(join(directory.path, 'index.db'));
  for (const name of PARTS) {
    const path = join(directory.path, name);
    expect(await readFile(path, 'utf8')).toBe(name);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  }
});

test.each([
  ['the database', 'file/index.db', 'ENOTDIR'],
  ['a directory that is missing', 'missing/index.db', 'ENOENT'],
])('an error of %s is reported', async (_, path, code) => {
  await using directory = await temporaryDirectory('store');
  await writeFile(join(directory.path, 'file'), '');
  await expect(makeDatabasePrivate(join(directory.path, path))).rejects.toMatchObject({
    name: 'StoreError',
    code,
  });
});
