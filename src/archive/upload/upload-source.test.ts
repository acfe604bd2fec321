import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { inPieces } from '../../../test/support/tar.ts';
import { readTar } from '../reading/read-tar.ts';
import { uploadSource, type UploadSource } from './upload-source.ts';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'larder-source-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

async function read({ bytes }: UploadSource, start = 0): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes(start)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function layout(index = '{}'): Promise<string> {
  const directory = await folder();
  await mkdir(join(directory, 'blobs/sha256'), { recursive: true });
  await writeFile(join(directory, 'index.json'), index);
  await writeFile(join(directory, 'blobs/sha256/a'), 'x'.repeat(700));
  return directory;
}

it('reads a file from any place', async () => {
  const path = join(await folder(), 'bundle');
  const bytes = Buffer.alloc(3 * 2 ** 20, 'bundle');
  await writeFile(path, bytes);
  const source = await uploadSource(path);
  expect([source.size, (await read(source)).equals(bytes)]).toEqual([bytes.length, true]);
  expect((await read(source, bytes.length - 5)).toString()).toBe(bytes.subarray(-5).toString());
});

it('refuses what can be no bundle', async () => {
  const path = join(await folder(), 'bundle');
  await writeFile(path, '');
  await expect(uploadSource(path)).rejects.toThrow(`"${path}" is empty`);
  await expect(uploadSource('/dev/null')).rejects.toThrow('"/dev/null" is neither a file nor a directory');
});

it('tells files apart by their size and their ends', async () => {
  const directory = await folder();
  const print = async (content: Buffer): Promise<string> => {
    await writeFile(join(directory, 'bundle'), content);
    return (await uploadSource(join(directory, 'bundle'))).fingerprint;
  };
  const content = Buffer.alloc(4 * 2 ** 20, 1);
  const first = await print(content);
  expect(first).toMatch(/^[a-f0-9]{64}$/);
  expect(await print(content)).toBe(first);
  expect(await print(content.subarray(1))).not.toBe(first);
  expect(await print(Buffer.from(content).fill(2, 0, 1))).not.toBe(first);
  expect(await print(Buffer.from(content).fill(2, content.length - 1))).not.toBe(first);
});

it('packs a directory, the same each time and from any place', async () => {
  const source = await uploadSource(await layout());
  const bytes = await read(source);
  expect(bytes.length).toBe(source.size);
  for (const start of [1, 511, 512, 600, bytes.length - 1, bytes.length]) {
    expect((await read(source, start)).equals(bytes.subarray(start))).toBe(true);
  }
  const entries: [string, number][] = [];
  for await (const { path, size } of readTar(inPieces(bytes))) entries.push([path, size]);
  expect(entries).toEqual([
    ['blobs/sha256/a', 700],
    ['index.json', 2],
  ]);
});

it('tells directories apart by what they list', async () => {
  const prints = [await layout(), await layout(), await layout('[]')].map(async (path) => uploadSource(path));
  const [one, same, other] = await Promise.all(prints);
  expect(one?.fingerprint).toBe(same?.fingerprint);
  expect(one?.fingerprint).not.toBe(other?.fingerprint);
});
