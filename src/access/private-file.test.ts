import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writePrivateFile } from './private-file.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-test-'));
  path = join(folder, 'access', 'file');
});

afterEach(() => rm(folder, { recursive: true }));

test('what a crash has left beside the file is overwritten, and its owner alone can read the file', async () => {
  await writePrivateFile(path, 'first');
  await writeFile(`${path}.new`, 'a longer text, half of it written');
  await chmod(`${path}.new`, 0o666);
  await writePrivateFile(path, 'second');
  expect(await readFile(path, 'utf8')).toBe('second');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(join(folder, 'access'))).toEqual(['file']);
});

test('a file that cannot be replaced stays as it was, and nothing is left beside it', async () => {
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'inside'), '');
  await expect(writePrivateFile(path, 'text')).rejects.toThrow('EISDIR');
  expect(await readdir(join(folder, 'access'))).toEqual(['file']);
});
