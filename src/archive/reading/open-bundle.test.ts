import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openFiles } from '../../../test/support/left-over.ts';
import { tarOf } from '../../../test/support/tar.ts';
import { openBundle } from './open-bundle.ts';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'larder-bundle-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

async function read(path: string): Promise<object> {
  const bundle = await openBundle(path);
  const entries: [string, number, string][] = [];
  let done = 0;
  for await (const { path, size, bytes } of bundle.entries((read) => (done += read))) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of bytes) chunks.push(chunk);
    entries.push([path, size, Buffer.concat(chunks).toString()]);
  }
  return { entries, size: bundle.size, done };
}

it('reads a file, and tells its progress', async () => {
  const path = join(await folder(), 'bundle');
  const bytes = tarOf([{ path: 'a', bytes: 'bee' }]);
  await writeFile(path, bytes);
  const { length } = bytes;
  expect(await read(path)).toEqual({ entries: [['a', 3, 'bee']], size: length, done: length });
});

it('reads a directory in the order of its names', async () => {
  const directory = await folder();
  await mkdir(join(directory, 'blobs/sha256'), { recursive: true });
  for (const name of ['index.json', 'blobs/sha256/b', 'blobs/sha256/a'])
    await writeFile(join(directory, name), name);
  const names = ['blobs/sha256/a', 'blobs/sha256/b', 'index.json'];
  expect(await read(directory)).toEqual({
    entries: names.map((name) => [name, name.length, name]),
    size: 38,
    done: 38,
  });
});

it('follows no link of a directory', async () => {
  const directory = await folder();
  await symlink('/etc/passwd', join(directory, 'index.json'));
  await expect(read(directory)).rejects.toThrow('"index.json" is neither a file nor a directory');
});

it('leaves no file open when its reader stops', async () => {
  const path = join(await folder(), 'bundle');
  await writeFile(path, tarOf([{ path: 'a', bytes: Buffer.alloc(3 * 2 ** 20) }, { path: 'b' }]));
  const bundle = await openBundle(path);
  for await (const entry of bundle.entries()) {
    expect(entry.path).toBe('a');
    break;
  }
  expect(await openFiles(path)).toEqual([]);
});

it('fails for a file that is not there', async () => {
  await expect(openBundle(join(await folder(), 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
});
