import { join } from 'node:path';
import { systemClock, type Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { ContentIndex } from '../index/content-index.ts';
import { IndexError } from '../index/error.ts';
import { openRecoveringIndex, type RecoveringIndexOptions } from '../index/decorators/recovering-index.ts';
import { setDatabaseAside } from '../index/sqlite/set-aside.ts';
import { openSqliteIndex, type SqliteIndexOptions } from '../index/sqlite/sqlite-index.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { StoreError } from '../store/error.ts';
import { openFileStore } from '../store/fs/file-store.ts';
import { freeBytes } from '../store/fs/free-bytes.ts';
import { lockDirectory } from '../store/fs/lock.ts';
import { lockedStore } from '../store/fs/locked-store.ts';
import { makeDatabasePrivate } from '../store/fs/private-file.ts';
import { createUnusableStore } from '../store/fs/unusable-store.ts';

export interface CacheDirectory {
  readonly store: BlobStore;
  readonly index: ContentIndex;
  /** Why nothing is kept, if the device fails: every request then goes through to upstream. */
  readonly error: StoreError | undefined;
  close(): Promise<void>;
}

export interface CacheDirectoryOptions extends Pick<Config['cache'], 'directory' | 'maxSize'> {
  /** Syncs at the same time. Default: 1. */
  readonly syncs?: number;
  /**
   * Most bytes of blobs that failed verification, which are kept for an operator to look at. They are never more than
   * a twentieth of `maxSize`. Default: 1 GiB.
   */
  readonly quarantine?: number;
}

export interface IndexOptions {
  readonly clock?: Clock;
  /** Called when an empty index has taken a damaged one's place: the stored bytes must then be put into it. */
  readonly onIndexReplaced?: RecoveringIndexOptions['onReplaced'];
  /** As in SqliteIndexOptions. */
  readonly busyTimeoutMs?: number;
  /** As in SqliteIndexOptions. */
  readonly onUpgradeBegun?: NonNullable<SqliteIndexOptions['onUpgradeBegun']>;
  /** As in SqliteIndexOptions. */
  readonly onUpgrade?: NonNullable<SqliteIndexOptions['onUpgrade']>;
}

/** What failed verification must not be kept at the cost of what is cached. */
const QUARANTINE_FILES = 16;
const QUARANTINE_BYTES = 1024 ** 3;
const QUARANTINE_SHARE = 0.05;

/** The errors of a device, as opposed to those of a wrong configuration. errno(3). */
const DEVICE_ERRORS: ReadonlySet<string> = new Set([
  'EROFS',
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'ENODEV',
  'ENXIO',
  'ESTALE',
  'SQLITE_FULL',
  'SQLITE_IOERR',
  'SQLITE_READONLY',
]);

/**
 * Opens the cache directory. If its device fails (full, read-only, I/O errors), returns an index in memory and a store
 * that takes nothing: pulls are worth more than the cache.
 * @throws StoreError, IndexError, DirectoryLockedError if it is plainly the wrong directory
 */
export async function openCacheDirectory(
  options: CacheDirectoryOptions,
  indexOptions: IndexOptions = {},
): Promise<CacheDirectory> {
  try {
    return await openUsable(options, indexOptions);
  } catch (error) {
    const failure = deviceFailure(error);
    if (failure === undefined) throw error;
    const index = await openSqliteIndex(':memory:');
    const store = createUnusableStore(failure, { freeBytes: () => freeBytes(options.directory) });
    return { store, index, error: failure, close: () => index.close() };
  }
}

async function openUsable(
  { directory, maxSize = Infinity, syncs = 1, quarantine = QUARANTINE_BYTES }: CacheDirectoryOptions,
  indexOptions: IndexOptions,
): Promise<CacheDirectory> {
  const lock = await lockDirectory(directory);
  try {
    const limits = { files: QUARANTINE_FILES, bytes: Math.min(quarantine, QUARANTINE_SHARE * maxSize) };
    const store = await openFileStore({ directory, quarantine: limits, syncs });
    await store.sweepIngest();
    const index = await openIndex(join(directory, 'index.db'), indexOptions);
    const close = async (): Promise<void> => {
      await index.close();
      await lock.release();
    };
    return { store: lockedStore(store, lock), index, error: undefined, close };
  } catch (error) {
    await lock.release().catch(() => {});
    throw error;
  }
}

function openIndex(
  path: string,
  { clock = systemClock, onIndexReplaced = () => {}, ...options }: IndexOptions,
): Promise<ContentIndex> {
  return openRecoveringIndex({
    async open() {
      await makeDatabasePrivate(path);
      return openSqliteIndex(path, options);
    },
    setAside: () => setDatabaseAside(path, clock.now()),
    onReplaced: onIndexReplaced,
  });
}

function deviceFailure(error: unknown): StoreError | undefined {
  if (!(error instanceof StoreError || error instanceof IndexError)) return undefined;
  if (!DEVICE_ERRORS.has(error.code)) return undefined;
  return error instanceof StoreError ? error : new StoreError('open the index', error);
}
