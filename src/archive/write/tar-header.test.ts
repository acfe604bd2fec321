import { createTarDecoder, type TarHeader } from 'modern-tar';
import { expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { blobPath } from '../layout/paths.ts';
import { TAR_BLOCK, tarHeader, tarPadding } from './tar-header.ts';

const SHORT = blobPath(digestOf('a'));
const LONG = blobPath(digestOf('a', 'sha512'));

async function readHeader(bytes: Uint8Array): Promise<TarHeader | undefined> {
  const source = ReadableStream.from([new Uint8Array(bytes)]);
  for await (const { header } of source.pipeThrough(createTarDecoder())) return header;
  return undefined;
}

it.each([
  [SHORT, 0],
  [SHORT, 1],
  [SHORT, 8 * 1024 ** 3 - 1],
  [SHORT, 1024 ** 4],
  [LONG, 1],
])('says the path %s and the size %d', async (path, size) => {
  const read = await readHeader(await tarHeader(path, size));
  expect(read).toMatchObject({ name: path, size, mtime: new Date(0), type: 'file' });
});

it.each([
  ['a size of 8 GiB', SHORT, 8 * 1024 ** 3],
  ['a size of 1 TiB', SHORT, 1024 ** 4],
  ['a path of more than 100 bytes', LONG, 7],
])('%s stands in a PAX record', async (_, path, size) => {
  const text = new TextDecoder().decode(await tarHeader(path, size));
  expect(text).toMatch(path === LONG ? `path=${LONG}\n` : `size=${size}\n`);
});

it('has whole blocks, always the same', async () => {
  for (const [path, size] of [
    [SHORT, 0],
    [SHORT, 9],
    [LONG, 1024 ** 4],
  ] as const) {
    const header = await tarHeader(path, size);
    expect(header.length % TAR_BLOCK).toBe(0);
    expect(await tarHeader(path, size)).toEqual(header);
  }
});

it.each([
  [0, 0],
  [1, 511],
  [512, 0],
  [513, 511],
])('%d bytes are followed by %d zeros', (size, zeros) => expect(tarPadding(size)).toBe(zeros));
