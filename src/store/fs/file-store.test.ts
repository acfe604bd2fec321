import { mkdir, readdir, readFile, rm, stat, statfs, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { temporaryDirectory, type TemporaryDirectory } from '../../../test/support/e2e/temporary.ts';
import { openFilesIn, prototypeOfHandles } from '../../../test/support/open-files.ts';
import { digestHex, digestOf } from '../../oci/digest.ts';
import { describeBlobStore } from '../blob-store.contract.ts';
import type { BlobStore } from '../blob-store.ts';
import { StoreError } from '../error.ts';
import { HeldStore } from '../held-store.ts';
import {
  collect,
  DIGEST,
  EXPECTED,
  HELLO,
  isPending,
  openAndRead,
  put,
  WRONG,
  type StoreUnderTest,
} from '../store-under-test.contract.ts';
import { openFileStore, type FileStore } from './file-store.ts';
import { freeBytes } from './free-bytes.ts';
import { lockedStore } from './locked-store.ts';

/** @param wrap wraps the store */
function describeFiles(name: string, wrap: (store: BlobStore) => BlobStore): void {
  const open = async (): Promise<StoreUnderTest> => {
    const directory = await temporaryDirectory('store');
    const quarantine = join(directory.path, 'quarantine');
    return {
      store: wrap(await openFileStore({ directory: directory.path })),
      quarantined: async () => (await readdir(quarantine)).length,
      leftovers: async () => [
        ...(await readdir(join(directory.path, 'ingest'))),
        ...(await openFilesIn(directory.path)),
      ],
      [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
    };
  };
  describeBlobStore(name, open, ['quarantine', 'freeBytes', 'direct']);
}

describeFiles('files', (store) => store);
describeFiles('files under a lock', (store) => lockedStore(store, { assertHeld: async () => undefined }));
describeFiles('files that are held', (store) => new HeldStore(store));

/** Bytes enough for a sync while more may come. */
const EXPECTED_LARGE = { digest: digestOf('large'), size: 16 * 1024 * 1024 };

describe('a file store', () => {
  let directory: TemporaryDirectory;
  let store: FileStore;

  beforeEach(async () => {
    directory = await temporaryDirectory('store');
    store = await openFileStore({ directory: directory.path });
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await directory[Symbol.asyncDispose]();
  });

  const inDirectory = (...names: string[]): string => join(directory.path, ...names);
  const pathOf = (bytes: Uint8Array): string => inDirectory('blobs', 'sha256', digestHex(digestOf(bytes)));

  it('is an OCI image layout', async () => {
    await put(store, HELLO);
    expect(await readdir(directory.path)).toEqual(
      expect.arrayContaining(['blobs', 'index.json', 'ingest', 'oci-layout', 'quarantine']),
    );
    expect(JSON.parse(await readFile(inDirectory('oci-layout'), 'utf8'))).toEqual({
      imageLayoutVersion: '1.0.0',
    });
    expect(JSON.parse(await readFile(inDirectory('index.json'), 'utf8'))).toMatchObject({ manifests: [] });
    expect(await readFile(pathOf(HELLO))).toEqual(HELLO);
  });

  it('leaves an index.json that is there as it is', async () => {
    await writeFile(inDirectory('index.json'), '{"mine": true}');
    await openFileStore({ directory: directory.path });
    expect(await readFile(inDirectory('index.json'), 'utf8')).toBe('{"mine": true}');
  });

  it('creates the directory and its parents', async () => {
    const deep = inDirectory('a', 'b', 'c');
    await put(await openFileStore({ directory: deep }), HELLO);
    expect(await readFile(join(deep, 'blobs', 'sha256', digestHex(DIGEST)))).toEqual(HELLO);
  });

  it('creates files and directories that other users cannot read', async () => {
    await put(store, HELLO);
    expect((await stat(pathOf(HELLO))).mode & 0o007).toBe(0);
    expect((await stat(inDirectory('blobs'))).mode & 0o007).toBe(0);
  });

  it('finds what another store object has stored', async () => {
    await put(store, HELLO);
    const again = await openFileStore({ directory: directory.path });
    expect(await openAndRead(again, HELLO)).toEqual(HELLO);
    expect(await collect(again.list())).toMatchObject([EXPECTED]);
  });

  it('gives each reader a descriptor of its own', async () => {
    await put(store, HELLO);
    const readers = [(await store.open(DIGEST))!, (await store.open(DIGEST))!];
    expect(readers[0]!.fd).toEqual(expect.any(Number));
    expect(readers[0]!.fd).not.toBe(readers[1]!.fd);
    await Promise.all(readers.map((reader) => reader.close()));
  });

  it('sweeps what a crash has left', async () => {
    await writeFile(inDirectory('ingest', 'left-behind'), 'half a layer');
    await mkdir(inDirectory('ingest', 'strange'));
    expect(await store.sweepIngest()).toBe(2);
    expect(await readdir(inDirectory('ingest'))).toEqual([]);
    expect(await store.sweepIngest()).toBe(0);
  });

  it('passes over files that are not blobs', async () => {
    await put(store, HELLO);
    await writeFile(inDirectory('blobs', 'sha256', 'README'), 'not a blob');
    await writeFile(inDirectory('blobs', 'sha256', digestHex(DIGEST).toUpperCase()), 'not a digest');
    await writeFile(inDirectory('blobs', 'stray'), 'in no algorithm’s folder');
    expect(await collect(store.list())).toMatchObject([EXPECTED]);
  });

  it('replaces a file that has lost bytes when they come anew', async () => {
    await put(store, HELLO);
    await truncate(pathOf(HELLO), 3);
    await put(store, HELLO);
    expect(await openAndRead(store, HELLO)).toEqual(HELLO);
  });

  it('replaces a file whose bytes have changed in place', async () => {
    await put(store, HELLO);
    await writeFile(
      pathOf(HELLO),
      HELLO.map((byte) => byte ^ 1),
    );
    await put(store, HELLO);
    expect(await openAndRead(store, HELLO)).toEqual(HELLO);
  });

  it('reports a file that is truncated under a reader', async () => {
    await put(store, HELLO);
    const reader = (await store.open(DIGEST))!;
    await truncate(pathOf(HELLO), 3);
    await expect(reader.read(new Uint8Array(10), 3)).rejects.toMatchObject({
      name: 'StoreError',
      code: 'EIO',
    });
    await reader.close();
  });

  it('never writes into the file of another ingest', async () => {
    const clumsy = await openFileStore({ directory: inDirectory('clumsy'), random: () => 'always-the-same' });
    await using first = await clumsy.ingest(EXPECTED);
    await expect(clumsy.ingest(EXPECTED)).rejects.toMatchObject({ name: 'StoreError', code: 'EEXIST' });
    await first.write([HELLO]);
    expect(await first.commit()).toEqual(EXPECTED);
  });

  it('keeps the newest bytes that failed verification', async () => {
    const small = await openFileStore({
      directory: directory.path,
      quarantine: { files: 2, bytes: 1024 },
    });
    for (const text of ['hello, liar 1', 'hello, liar 2', 'hello, liar 3']) {
      await using ingest = await small.ingest(EXPECTED);
      await ingest.write([Buffer.from(text)]);
      await expect(ingest.commit()).rejects.toThrow('the bytes have the digest');
    }
    const names = await readdir(inDirectory('quarantine'));
    expect(names).toHaveLength(2);
    expect(names.every((name) => name.startsWith(`sha256-${digestHex(DIGEST)}.`))).toBe(true);
  });

  it('names bytes that were set aside by their expected digest, if known', async () => {
    for (const options of [EXPECTED, { size: 1 }]) {
      await using ingest = await store.ingest(options);
      const [name] = await readdir(inDirectory('ingest'));
      expect(name).not.toContain(digestHex(DIGEST));
      await ingest.write([HELLO, WRONG]).catch(() => {});
    }
    const names = (await readdir(inDirectory('quarantine'))).toSorted();
    expect(names).toEqual(
      [`sha256-${digestHex(DIGEST)}`, 'unknown'].map((name) => expect.stringContaining(`${name}.`)),
    );
    expect((await store.quarantine.stats()).digests).toEqual([DIGEST]);
  });

  it('commits no bytes that must be read once more and cannot be', async () => {
    await using ingest = await store.ingest({});
    const reader = await ingest.follow();
    await ingest.write([HELLO]);
    for (const name of await readdir(inDirectory('ingest'))) await rm(inDirectory('ingest', name));
    const error = await ingest
      .commit({ digest: digestOf(HELLO, 'sha512') })
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'StoreError', code: 'ENOENT' });
    await expect(reader.available(HELLO.byteLength)).rejects.toBe(error);
    await reader.close();
    expect(await collect(store.list())).toEqual([]);
    expect(await openFilesIn(directory.path)).toEqual([]);
  });

  it('lists when each blob was stored', async () => {
    const before = Date.now() - 2000;
    await put(store, HELLO);
    const [listed] = await collect(store.list());
    expect(listed?.storedAt).toBeGreaterThan(before);
    expect(listed?.storedAt).toBeLessThanOrEqual(Date.now() + 2000);
    await utimes(pathOf(HELLO), 1, 1.0005);
    expect(await collect(store.list())).toMatchObject([{ storedAt: 1000 }]);
  });

  it('keeps the newest of the blobs that were set aside', async () => {
    const small = await openFileStore({ directory: directory.path, quarantine: { files: 1, bytes: 1024 } });
    for (const bytes of [HELLO, WRONG]) {
      await put(small, bytes);
      await utimes(pathOf(bytes), 1, bytes === HELLO ? 1 : 2);
      await small.quarantine.setAside(digestOf(bytes));
    }
    const names = await readdir(inDirectory('quarantine'));
    expect(names).toEqual([expect.stringContaining(digestHex(digestOf(WRONG)))]);
    expect(await small.quarantine.stats()).toMatchObject({ blobs: 1, bytes: WRONG.byteLength });
  });

  it('removes even a folder that stands in a blob’s place', async () => {
    const small = await openFileStore({ directory: directory.path, quarantine: { files: 1, bytes: 1024 } });
    await mkdir(join(pathOf(HELLO), 'folder'), { recursive: true });
    await utimes(pathOf(HELLO), 1, 1);
    expect(await small.quarantine.setAside(digestOf(HELLO))).toBe(true);
    await put(small, WRONG);
    await small.quarantine.setAside(digestOf(WRONG));
    expect((await small.quarantine.stats()).digests).toEqual([digestOf(WRONG)]);
  });

  it('reports wrong bytes even if it cannot keep them', async () => {
    await using ingest = await store.ingest(EXPECTED);
    await ingest.write([WRONG]);
    await rm(inDirectory('quarantine'), { recursive: true });
    await expect(ingest.commit()).rejects.toMatchObject({ name: 'VerificationError' });
    expect(await readdir(inDirectory('ingest'))).toEqual([]);
  });

  it('gives followers right bytes even if they cannot be published', async () => {
    await using ingest = await store.ingest(EXPECTED);
    const reader = await ingest.follow();
    await ingest.write([HELLO]);
    await rm(inDirectory('blobs', 'sha256'), { recursive: true });
    const error = await ingest.commit().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code: 'ENOENT' });
    expect(await reader.available(0)).toBe(HELLO.byteLength);
    expect(await reader.available(HELLO.byteLength)).toBe(HELLO.byteLength);
    await reader.close();
    await expect(ingest.follow()).rejects.toThrow(StoreError);
    expect(await readdir(inDirectory('ingest'))).toEqual([]);
  });

  it('does not keep a file open whose size cannot be read', async () => {
    await put(store, HELLO);
    const handles = await prototypeOfHandles(directory.path);
    vi.spyOn(handles, 'stat').mockRejectedValueOnce(Object.assign(new Error('i/o error'), { code: 'EIO' }));
    await expect(store.open(DIGEST)).rejects.toMatchObject({ name: 'StoreError', code: 'EIO' });
    expect(await openFilesIn(directory.path)).toEqual([]);
  });

  it('closes no file that is being synced, since its descriptor could become another file’s', async () => {
    const handles = await prototypeOfHandles(directory.path);
    const { promise, resolve } = Promise.withResolvers<void>();
    const datasync = vi.spyOn(handles, 'datasync').mockReturnValueOnce(promise);
    const ingest = await store.ingest(EXPECTED_LARGE);
    await ingest.write([Buffer.alloc(EXPECTED_LARGE.size)]);
    expect(datasync).toHaveBeenCalledOnce();
    const aborted = ingest.abort(new Error('enough'));
    expect(await isPending(aborted)).toBe(true);
    expect(await openFilesIn(directory.path)).toHaveLength(1);
    resolve();
    await aborted;
    expect(await openFilesIn(directory.path)).toEqual([]);
  });

  it('knows how much may still be written', async () => {
    const { bavail, bsize } = await statfs(directory.path);
    // Other programs may write meanwhile.
    expect(await store.freeBytes()).toBeGreaterThan((bavail * bsize) / 2);
    await expect(freeBytes(inDirectory('nowhere'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
