import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/support/e2e/temporary.ts';
import { digestOf } from '../../oci/digest.ts';
import { blobPath, INDEX_FILE, LAYOUT_FILE } from '../layout/paths.ts';
import type { BundleSource } from './bundle-source.ts';
import { partialPath } from './partial-path.ts';
import { formOf, saveBundle } from './save-bundle.ts';

const BLOBS = [new Uint8Array(100_000).fill(1), new Uint8Array(700_000).fill(2)];
const CUT = new Error('the connection was cut');

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let tar: Uint8Array;

beforeEach(async () => {
  directory = await temporaryDirectory('save');
  tar = await tarOf(BLOBS);
});
afterEach(() => directory[Symbol.asyncDispose]());

const at = (name: string): string => join(directory.path, name);

function tarOf(blobs: readonly Uint8Array[], contents = blobs): Promise<Uint8Array> {
  const entry = (name: string, content: Uint8Array | string): Parameters<typeof packTar>[0][number] => ({
    header: { name, size: content.length, mtime: new Date(0) },
    data: new Uint8Array(Buffer.from(content)),
  });
  const files = blobs.map((bytes, position) => entry(blobPath(digestOf(bytes)), contents[position] ?? bytes));
  return packTar([entry(LAYOUT_FILE, '{}'), entry(INDEX_FILE, '[]'), ...files]);
}

interface Read extends BundleSource {
  /** Where it was read from. */
  readonly offsets: number[];
}

/** @param endsAt where reading fails */
function sourceOf(bytes: Uint8Array, endsAt = Number.POSITIVE_INFINITY): Read {
  const offsets: number[] = [];
  return {
    identity: digestOf(bytes),
    size: bytes.length,
    offsets,
    async *read(offset) {
      offsets.push(offset);
      for (let position = offset; position < bytes.length; position += 10_000) {
        if (position >= endsAt) throw CUT;
        yield bytes.slice(position, position + 10_000);
      }
    },
  };
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('a bundle that is saved as a tar archive', () => {
  it('is there with its checksum, and nothing else', async () => {
    const done: number[] = [];
    const saved = await saveBundle(sourceOf(tar), at('b.tar'), (bytes) => done.push(bytes));
    expect(saved).toEqual({ path: at('b.tar'), checksums: at('SHA256SUMS') });
    expect(new Uint8Array(await readFile(at('b.tar')))).toEqual(tar);
    expect(await readFile(at('SHA256SUMS'), 'utf8')).toBe(`${sha256(tar)}  b.tar\n`);
    expect((await readdir(directory.path)).toSorted()).toEqual(['SHA256SUMS', 'b.tar']);
    expect(done.at(-1)).toBe(tar.length);
  });

  it('has its name only once it is whole, and goes on where it was', async () => {
    await expect(saveBundle(sourceOf(tar, 200_000), at('b.tar'))).rejects.toBe(CUT);
    await expect(stat(at('b.tar'))).rejects.toMatchObject({ code: 'ENOENT' });
    const again = sourceOf(tar);
    await saveBundle(again, at('b.tar'));
    expect(again.offsets).toEqual([200_000]);
    expect(sha256(await readFile(at('b.tar')))).toBe(sha256(tar));
    expect((await readdir(directory.path)).toSorted()).toEqual(['SHA256SUMS', 'b.tar']);
  });

  it('is there as soon as the last byte was written, even if the run before ended then', async () => {
    const [name] = await interrupted(200_000);
    await writeFile(at(name), tar);
    const again = sourceOf(tar);
    await saveBundle(again, at('b.tar'));
    expect(again.offsets).toEqual([tar.length]);
    expect(sha256(await readFile(at('b.tar')))).toBe(sha256(tar));
  });

  it('begins anew if what an earlier run has left is wrong', async () => {
    const [name] = await interrupted(200_000);
    await writeFile(at(name), new Uint8Array(150_000));
    const again = sourceOf(tar);
    await saveBundle(again, at('b.tar'));
    expect(again.offsets.at(-1)).toBe(0);
    expect(sha256(await readFile(at('b.tar')))).toBe(sha256(tar));
  });

  it('begins anew if it is another bundle now, and removes what is left of the former', async () => {
    await interrupted(200_000);
    const other = await tarOf(BLOBS.slice(1));
    const source = sourceOf(other);
    await saveBundle(source, at('b.tar'));
    expect(source.offsets).toEqual([0]);
    expect((await readdir(directory.path)).toSorted()).toEqual(['SHA256SUMS', 'b.tar']);
  });

  it('replaces a file of that name, and its checksum, but no other', async () => {
    await writeFile(at('b.tar'), 'old');
    await writeFile(at('SHA256SUMS'), `${'0'.repeat(64)}  b.tar\n${'1'.repeat(64)}  a.tar\n`);
    await saveBundle(sourceOf(tar), at('b.tar'));
    expect(await readFile(at('SHA256SUMS'), 'utf8')).toBe(
      `${'1'.repeat(64)}  a.tar\n${sha256(tar)}  b.tar\n`,
    );
  });
});

async function interrupted(bytes: number): Promise<[string]> {
  await expect(saveBundle(sourceOf(tar, bytes), at('b.tar'))).rejects.toBe(CUT);
  const [name = ''] = await readdir(directory.path);
  await truncate(at(name), bytes - 5_000);
  return [name];
}

describe('a bundle that is compressed', () => {
  it('unpacks to the archive, and its checksum is that of the file', async () => {
    await saveBundle(sourceOf(tar), at('b.tar.zst'));
    const file = await readFile(at('b.tar.zst'));
    expect(new Uint8Array(zstdDecompressSync(file))).toEqual(tar);
    expect(await readFile(at('SHA256SUMS'), 'utf8')).toBe(`${sha256(file)}  b.tar.zst\n`);
  });

  it('is written anew after an interruption', async () => {
    await expect(saveBundle(sourceOf(tar, 200_000), at('b.tar.zst'))).rejects.toBe(CUT);
    await saveBundle(sourceOf(tar), at('b.tar.zst'));
    expect(new Uint8Array(zstdDecompressSync(await readFile(at('b.tar.zst'))))).toEqual(tar);
    expect((await readdir(directory.path)).toSorted()).toEqual(['SHA256SUMS', 'b.tar.zst']);
  });
});

describe('a bundle that is saved as a directory', () => {
  it('has its files, and the checksums of those that no digest names', async () => {
    await saveBundle(sourceOf(tar), `${at('b')}/`);
    for (const bytes of BLOBS)
      expect(sha256(await readFile(at(`b/${blobPath(digestOf(bytes))}`)))).toBe(sha256(bytes));
    const sums = await readFile(at('SHA256SUMS'), 'utf8');
    expect(sums).toContain(`${sha256(Buffer.from('[]'))}  b/index.json\n`);
    expect(sums.trim().split('\n')).toHaveLength(2);
  });

  it('keeps the whole files of an interrupted run, and no broken ones', async () => {
    const partial = partialPath(at('b'), sourceOf(tar).identity);
    const [first = '', second = ''] = BLOBS.map((bytes) => blobPath(digestOf(bytes)));
    await mkdir(join(partial, 'blobs/sha256'), { recursive: true });
    await writeFile(join(partial, first), BLOBS[0] ?? '');
    await writeFile(join(partial, second), new Uint8Array(700_000));
    const { ino } = await stat(join(partial, first));
    await utimes(join(partial, first), 1, 1);
    await saveBundle(sourceOf(tar), `${at('b')}/`);
    expect(await stat(at(`b/${first}`))).toMatchObject({ ino, mtimeMs: 1_000 });
    expect(sha256(await readFile(at(`b/${second}`)))).toBe(sha256(BLOBS[1] ?? tar));
  });

  it('replaces nothing', async () => {
    await mkdir(at('b'));
    await expect(saveBundle(sourceOf(tar), `${at('b')}/`)).rejects.toThrow('is there already');
  });
});

describe.each(['b.tar', 'b.tar.zst', 'b/'])('as %s', (name) => {
  it('a bundle with a wrong byte is refused with the blob’s name', async () => {
    const [first = tar, second = tar] = BLOBS;
    const flipped = second.slice();
    flipped[5] = 7;
    const source = sourceOf(await tarOf(BLOBS, [first, flipped]));
    await expect(saveBundle(source, at(name))).rejects.toThrow(digestOf(second));
    expect(await readdir(directory.path)).not.toContain(name.replace('/', ''));
  });

  it('a bundle that ends early is refused', async () => {
    const source = { ...sourceOf(tar.slice(0, 300_000)), size: tar.length };
    await expect(saveBundle(source, at(name))).rejects.toThrow('no whole tar archive');
  });
});

it.each([
  ['a.tar', 'tar'],
  ['a.tar.zst', 'zstd'],
  ['a/', 'directory'],
  ['a.tar/', 'directory'],
])('%s is written as %s', (path, form) => expect(formOf(path)).toBe(form));

it.each(['a', 'a.tgz', 'a.tar.gz', 'a.zst', 'tar'])(
  '%s does not tell as what it is to be written',
  (path) => {
    expect(() => formOf(path)).toThrow('must end in .tar');
  },
);
