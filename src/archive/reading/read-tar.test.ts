import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { inPieces, paxEntry, tarEntry, tarOf, type TarFile } from '../../../test/support/tar.ts';
import { BundleError } from '../bundle-error.ts';
import type { BundleEntry } from './bundle-entry.ts';
import { readTar } from './read-tar.ts';

async function textOf({ bytes }: BundleEntry): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function read(bytes: Uint8Array, piece?: number): Promise<readonly (readonly [string, string])[]> {
  const read: [string, string][] = [];
  for await (const entry of readTar(inPieces(bytes, piece))) read.push([entry.path, await textOf(entry)]);
  return read;
}

async function pathsOf(bytes: AsyncIterable<Uint8Array>): Promise<readonly string[]> {
  const paths: string[] = [];
  for await (const { path } of readTar(bytes)) paths.push(path);
  return paths;
}

const FILES: readonly TarFile[] = [
  { path: './a/', type: '5' },
  { path: './a/b', bytes: 'bee' },
  { path: 'c', bytes: 'x'.repeat(1_500) },
  { path: 'empty' },
];
const READ = [
  ['a/b', 'bee'],
  ['c', 'x'.repeat(1_500)],
  ['empty', ''],
];

describe('an archive', () => {
  it.each([
    ['as it is', tarOf(FILES)],
    ['by gzip', gzipSync(tarOf(FILES))],
    [
      'by gzip, in two members',
      Buffer.concat([gzipSync(tarOf(FILES).subarray(0, 700)), gzipSync(tarOf(FILES).subarray(700))]),
    ],
    ['by zstd', zstdCompressSync(tarOf(FILES))],
  ])('is read %s, in pieces of any size', async (_, bytes) => {
    expect(await read(bytes)).toEqual(READ);
    expect(await read(bytes, 1)).toEqual(READ);
    expect(await read(bytes, 513)).toEqual(READ);
  });

  it('is read past what its reader leaves unread', async () => {
    expect(await pathsOf(inPieces(tarOf(FILES)))).toEqual(['a/b', 'c', 'empty']);
  });

  it('has the path and the size that attributes tell', async () => {
    const long = `${'d'.repeat(200)}/f`;
    const bytes = Buffer.concat([
      paxEntry({ path: long, size: '2' }),
      tarOf([{ path: 'f', bytes: 'ok', size: 0 }]),
    ]);
    expect(await read(bytes)).toEqual([[long, 'ok']]);
  });

  it('tells of a link where it leads', async () => {
    const entries = [];
    for await (const entry of readTar(inPieces(tarOf([{ path: 'a/b', type: '2', link: '../c' }])))) {
      entries.push([entry.path, entry.target]);
    }
    expect(entries).toEqual([['a/b', '../c']]);
  });

  it.each([
    ['over 8 GiB, by a number of its own', [tarEntry({ path: 'big', size: 9 * 2 ** 30 })]],
    ['over 8 GiB, by attributes', [paxEntry({ size: String(9 * 2 ** 30) }), tarEntry({ path: 'big' })]],
  ])('has entries %s', async (_, parts) => {
    const entries = readTar(inPieces(Buffer.concat(parts)))[Symbol.asyncIterator]();
    const { value } = await entries.next();
    expect(value?.size).toBe(9 * 2 ** 30);
    await entries.return?.(undefined);
  });
});

describe('is refused with its reason:', () => {
  const whole = tarOf(FILES);
  it.each([
    ['a path that leads out', tarOf([{ path: '../../x', bytes: 'x' }]), /"..\/..\/x" leads out/],
    ['a path that leads out in its middle', tarOf([{ path: 'a/../../x' }]), /leads out/],
    ['an absolute path', tarOf([{ path: '/etc/passwd' }]), /leads out/],
    ['a hard link', tarOf([{ path: 'a', type: '1', link: 'b' }]), /"a" is a link/],
    ['a device', tarOf([{ path: 'a', type: '3' }]), /is a character-device/],
    ['a pipe', tarOf([{ path: 'a', type: '6' }]), /is a fifo/],
    ['the end is cut off', whole.subarray(0, -1024), /no whole tar/],
    ['an entry is cut off', whole.subarray(0, 1_100), /no whole tar/],
    ['a header is cut off', whole.subarray(0, 600), /no whole tar/],
    [
      'a header that says 10 GB',
      Buffer.concat([tarEntry({ path: 'a', size: 10e9 }), Buffer.alloc(4_096)]),
      /no whole tar/,
    ],
    ['a header that is wrong', Buffer.from(whole).fill(1, 5, 6), /no whole tar/],
    ['no tar at all', Buffer.alloc(2_000, 'text'), /no whole tar/],
    ['nothing', Buffer.alloc(0), /no whole tar/],
    ['gzip that is cut off', gzipSync(whole).subarray(0, -9), /gzip is broken or cut off/],
    ['zstd that is cut off', zstdCompressSync(whole).subarray(0, -1), /zstd is broken or cut off/],
    [
      'zstd that is broken',
      Buffer.from(zstdCompressSync(whole)).fill(0xff, 8, 20),
      /zstd is broken or cut off/,
    ],
    [
      'zeros without end',
      zstdCompressSync(Buffer.concat([whole, Buffer.alloc(64 * 2 ** 20)])),
      /unpacks to far more/,
    ],
    [
      'too many attributes',
      Buffer.concat([...Array.from({ length: 5 }, () => paxEntry({ comment: 'x'.repeat(5e6) })), whole]),
      /unpacks to far more/,
    ],
  ])('%s', async (_, bytes, message) => {
    const reading = read(bytes);
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toBeInstanceOf(BundleError);
  });

  it('100,000 entries', async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      const entries = Buffer.concat(Array.from({ length: 1_000 }, (_, i) => tarEntry({ path: `f${i}` })));
      for (let i = 0; i < 100; i++) yield entries;
    }
    await expect(pathsOf(endless())).rejects.toThrow('more than 50000 entries');
  });
});

it('says what has failed with the source, and closes it', async () => {
  const failure = Object.assign(new Error('EIO'), { code: 'EIO' });
  let isClosed = false;
  async function* failing(): AsyncGenerator<Uint8Array> {
    try {
      yield tarOf(FILES).subarray(0, 1_000);
      throw failure;
    } finally {
      isClosed = true;
    }
  }
  await expect(pathsOf(failing())).rejects.toBe(failure);
  expect(isClosed).toBe(true);
});

it('closes its source as soon as its reader has seen enough', async () => {
  let isClosed = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield tarEntry({ path: 'f', bytes: 'x' });
    } finally {
      isClosed = true;
    }
  }
  for await (const { path } of readTar(source())) {
    expect(path).toBe('f');
    break;
  }
  expect(isClosed).toBe(true);
});
