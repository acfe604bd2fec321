import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/support/e2e/temporary.ts';
import { canMount, temporaryFileSystem } from '../../../test/support/temporary-file-system.ts';
import { digestOf } from '../../oci/digest.ts';
import type { Ingest } from '../blob-store.ts';
import { errorOf, openAndRead, put } from '../store-under-test.contract.ts';
import { openFileStore } from './file-store.ts';

const CHUNK = Buffer.alloc(64 * 1024, 'layer ');

/** Writes chunks until the store fails. @returns its error */
async function fill(ingest: Ingest): Promise<unknown> {
  for (;;) {
    try {
      await ingest.write([CHUNK]);
    } catch (error) {
      return error;
    }
  }
}

const mountable = (await canMount()) ? ['a file system that is full'] : [];

it.each(mountable)('%s fails the ingest, and everything is free again', async () => {
  await using directory = await temporaryFileSystem('size=1m');
  const store = await openFileStore({ directory: directory.path });
  const free = await store.freeBytes();
  await using ingest = await store.ingest({ digest: digestOf('never whole'), size: 1024 ** 3 });
  const reader = await ingest.follow();
  const error = await fill(ingest);
  expect(error).toMatchObject({ name: 'StoreError', code: 'ENOSPC' });
  expect(ingest.offset).toBeGreaterThan(0);
  expect(await reader.available(0)).toBe(ingest.offset);
  expect(await errorOf(reader.available(ingest.offset))).toBe(error);
  await reader.close();
  expect(await store.freeBytes()).toBe(free);
  await put(store, CHUNK);
  expect(await openAndRead(store, CHUNK)).toEqual(CHUNK);
});

it.each(mountable)('%s is reported when the store is opened', async () => {
  await using directory = await temporaryFileSystem('nr_inodes=3');
  await expect(openFileStore({ directory: directory.path })).rejects.toThrow(
    /\(the disk is full\): ENOSPC$/u,
  );
});

/** Does the same where nothing can be mounted: a limit on the size of files also fails a write in its middle. */
const WRITE_UNTIL_LIMIT = `
  const { openFileStore } = await import(process.argv[1]);
  const store = await openFileStore({ directory: process.argv[2] });
  const ingest = await store.ingest({ digest: 'sha256:' + 'a'.repeat(64), size: 2 ** 30 });
  const reader = await ingest.follow();
  let error;
  while (error === undefined) await ingest.write([new Uint8Array(5000)]).catch((caught) => (error = caught));
  const end = await reader.available(0);
  const reason = await reader.available(end).catch((caught) => caught);
  const leftover = await ingest.commit().catch((caught) => caught);
  console.log(JSON.stringify({
    name: error.name, code: error.code, offset: ingest.offset, end,
    same: reason === error && leftover === error,
  }));`;

it('a file that may not grow fails the ingest', async () => {
  await using directory = await temporaryDirectory('store');
  const module = new URL('file-store.ts', import.meta.url).href;
  const arguments_ = ['--input-type=module', '--eval', WRITE_UNTIL_LIMIT, module, directory.path];
  const script = 'ulimit -f 40 && exec "$0" "$@"';
  const child = spawnSync('sh', ['-c', script, process.execPath, ...arguments_], { encoding: 'utf8' });
  const told = JSON.parse(child.stdout) as Record<string, unknown>;
  expect(told).toMatchObject({ name: 'StoreError', code: 'EFBIG', same: true });
  expect(told['offset']).toBeGreaterThan(0);
  expect(told['end']).toBe(told['offset']);
  const store = await openFileStore({ directory: directory.path });
  expect(await store.sweepIngest()).toBe(0);
});
