import { rm } from 'node:fs/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { temporaryDirectory } from '../../../test/support/e2e/temporary.ts';
import { StoreError } from '../error.ts';
import { DIGEST, EXPECTED, HELLO, put, readThrough, turns } from '../store-under-test.contract.ts';
import { syncDirectory } from './directory.ts';
import { FileSource } from './file-source.ts';
import { openFileStore } from './file-store.ts';

vi.mock('./directory.ts', { spy: true });
vi.mock('node:fs/promises', { spy: true });

afterEach(() => {
  vi.restoreAllMocks();
});

const EIO = new StoreError('do it', { code: 'EIO' });

it('a blob whose name cannot be made durable is deleted before the error is reported', async () => {
  await using directory = await temporaryDirectory('store');
  const store = await openFileStore({ directory: directory.path });
  const ingest = await store.ingest(EXPECTED);
  await ingest.write([HELLO]);
  vi.mocked(syncDirectory).mockRejectedValueOnce(EIO);
  let isGone = false;
  const { rm: remove } = await vi.importActual<{ rm: typeof rm }>('node:fs/promises');
  vi.mocked(rm).mockImplementationOnce(async (path, options) => {
    await turns(20);
    await remove(path, options);
    isGone = true;
  });
  await expect(ingest.commit()).rejects.toBe(EIO);
  expect(isGone).toBe(true);
  expect(await store.stat(DIGEST)).toBeUndefined();
});

it('a follower that comes while the blob’s name is being made durable does not wait for that', async () => {
  await using directory = await temporaryDirectory('store');
  const store = await openFileStore({ directory: directory.path });
  const ingest = await store.ingest(EXPECTED);
  await ingest.write([HELLO]);
  const syncing = Promise.withResolvers<void>();
  vi.mocked(syncDirectory).mockReturnValueOnce(syncing.promise);
  const commit = ingest.commit();
  await expect.poll(() => store.stat(DIGEST)).toEqual(EXPECTED);
  const reader = await ingest.follow();
  expect(await readThrough(reader)).toEqual(HELLO);
  await reader.close();
  syncing.resolve();
  await commit;
});

it('the error of a name that cannot be made durable is reported even if the blob cannot be removed', async () => {
  await using directory = await temporaryDirectory('store');
  const store = await openFileStore({ directory: directory.path });
  const ingest = await store.ingest(EXPECTED);
  await ingest.write([HELLO]);
  vi.mocked(syncDirectory).mockRejectedValueOnce(EIO);
  vi.mocked(rm).mockRejectedValueOnce(Object.assign(new Error('no'), { code: 'EACCES' }));
  await expect(ingest.commit()).rejects.toBe(EIO);
});

it('a file whose size cannot be read is closed before the error is reported', async () => {
  await using directory = await temporaryDirectory('store');
  const store = await openFileStore({ directory: directory.path });
  await put(store, HELLO);
  vi.spyOn(FileSource.prototype, 'size').mockRejectedValueOnce(EIO);
  const close = vi.spyOn(FileSource.prototype, 'close');
  await expect(store.open(DIGEST)).rejects.toBe(EIO);
  expect(close.mock.settledResults).toMatchObject([{ type: 'fulfilled' }]);
});
