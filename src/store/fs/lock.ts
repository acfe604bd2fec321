import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../blob-store.ts';
import { prepareDirectory } from './directory.ts';
import { attempt } from './io.ts';
import { FILE_MODE, layoutOf } from './layout.ts';

/** That a cache directory is this process's. To be kept as long as that shall be so. */
export interface DirectoryLock {
  release(): Promise<void>;
}

/** Another process has the cache directory. */
export class DirectoryLockedError extends Error {
  override readonly name = 'DirectoryLockedError';
  /** Undefined where it could not be found out. */
  readonly holder: Holder | undefined;

  constructor(directory: string, holder: Holder | undefined) {
    const who = holder ? `process ${holder.pid} on ${holder.host}` : 'another process';
    super(`the cache directory ${directory} is in use by ${who}: stop it, or choose another directory`);
    this.holder = holder;
  }
}

export interface Holder {
  readonly pid: number;
  readonly host: string;
}

const SQLITE_BUSY = 5;

/**
 * Makes the directory this process's until `release` or the process's end, however that comes. The lock is
 * SQLite's on `lock.db`, an empty file; `lock.json` beside it tells others whose it is. docs/adr/0004.
 * @throws DirectoryLockedError where another has it, StoreError where the directory is not usable.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const root = layoutOf(directory).directory;
  const holderPath = join(root, 'lock.json');
  await prepareDirectory(root);
  const database = await acquire(join(root, 'lock.db'));
  if (database === undefined) throw new DirectoryLockedError(root, await readHolder(holderPath));
  try {
    await writeHolder(holderPath);
  } catch (error) {
    database.close();
    throw error;
  }
  return {
    async release() {
      if (!database.isOpen) return;
      await attempt(`delete ${holderPath}`, () => rm(holderPath, { force: true }));
      database.close();
    },
  };
}

/** @returns the database whose open transaction is the lock; undefined where another has it. */
async function acquire(path: string): Promise<DatabaseSync | undefined> {
  return attempt(`lock ${path}`, async () => {
    const database = new DatabaseSync(path);
    try {
      // Nothing is ever written, so no journal file either.
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE');
      return database;
    } catch (error) {
      database.close();
      if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
      throw new StoreError(`lock ${path} (${(error as Error).message})`, error);
    }
  });
}

async function writeHolder(path: string): Promise<void> {
  const holder: Holder = { pid: process.pid, host: hostname() };
  await attempt(`write ${path}`, () => writeFile(path, JSON.stringify(holder), { mode: FILE_MODE }));
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const { pid, host } = JSON.parse(await readFile(path, 'utf8')) as Record<keyof Holder, unknown>;
    return typeof pid === 'number' && typeof host === 'string' ? { pid, host } : undefined;
  } catch {
    return undefined;
  }
}
