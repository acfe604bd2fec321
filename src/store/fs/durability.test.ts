import { existsSync, fstatSync, readlinkSync } from 'node:fs';
import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { temporaryDirectory, type TemporaryDirectory } from '../../../test/support/e2e/temporary.ts';
import { digestOf } from '../../oci/digest.ts';
import type { Ingest } from '../blob-store.ts';
import { collect, put } from '../store-under-test.contract.ts';
import { openFileStore, type FileStore } from './file-store.ts';

const BYTES = Buffer.from('a layer');
const DIGEST = digestOf(BYTES);

/** What was made durable, and what one could see at the time. */
interface Sync {
  /** `ingest` for a file there, or the directory's path in the cache. */
  readonly what: string;
  readonly bytes: number | undefined;
  readonly isVisible: boolean;
}

describe('what a power failure must not undo', () => {
  let directory: TemporaryDirectory;
  let store: FileStore;
  let syncs: Sync[];
  /** What a sync of a directory fails with. */
  let broken: Error | undefined;

  beforeEach(async () => {
    directory = await temporaryDirectory('store');
    store = await openFileStore({ directory: directory.path });
    syncs = [];
    broken = undefined;
    const handle = await open(directory.path, 'r');
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const original = Reflect.get(prototype, 'sync');
    vi.spyOn(prototype, 'sync').mockImplementation(async function (this: FileHandle) {
      const stats = fstatSync(this.fd);
      const path = relative(directory.path, readlinkSync(`/proc/self/fd/${this.fd}`));
      const isVisible = existsSync(join(directory.path, 'blobs', DIGEST.replace(':', '/')));
      if (stats.isDirectory() && broken !== undefined) throw broken;
      await original.call(this);
      syncs.push(
        stats.isFile()
          ? { what: path.replace(/\/.*/, ''), bytes: stats.size, isVisible }
          : { what: path, bytes: undefined, isVisible },
      );
    });
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await directory[Symbol.asyncDispose]();
  });

  async function write(): Promise<Ingest> {
    const ingest = await store.ingest({ digest: DIGEST, size: BYTES.length });
    await ingest.write([BYTES]);
    return ingest;
  }

  it('all bytes of a blob are durable before it can be seen, and its name before it counts as stored', async () => {
    const ingest = await write();
    await ingest.commit();
    expect(syncs).toEqual([
      { what: 'ingest', bytes: BYTES.length, isVisible: false },
      { what: 'blobs/sha256', bytes: undefined, isVisible: true },
    ]);
  });

  it('bytes that were set aside are durably gone from where they are served', async () => {
    await (await write()).commit();
    syncs = [];
    await store.quarantine(DIGEST);
    expect(syncs).toEqual([{ what: 'blobs/sha256', bytes: undefined, isVisible: false }]);
  });

  it('a blob whose name cannot be made durable is not stored, and not to be seen', async () => {
    broken = Object.assign(new Error('i/o error'), { code: 'EIO' });
    const ingest = await write();
    const reader = await ingest.follow();
    await expect(ingest.commit()).rejects.toMatchObject({ name: 'StoreError', code: 'EIO' });
    expect(await store.stat(DIGEST)).toBeUndefined();
    expect(await collect(store.list())).toEqual([]);
    expect(await readdir(join(directory.path, 'ingest'))).toEqual([]);
    // Its bytes are right: a client that follows gets all of them.
    const into = new Uint8Array(BYTES.length);
    expect(await reader.available(0)).toBe(BYTES.length);
    await reader.read(into, 0);
    expect(Buffer.from(into)).toEqual(BYTES);
    await reader.close();
    broken = undefined;
    await put(store, BYTES);
    expect(await store.stat(DIGEST)).toEqual({ digest: DIGEST, size: BYTES.length });
  });
});
