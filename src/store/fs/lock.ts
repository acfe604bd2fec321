import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../error.ts';
import { prepareDirectory } from './directory.ts';
import { attempt } from './io.ts';
import { FILE_MODE, layoutOf } from './layout.ts';
import { makeDatabasePrivate } from './private-file.ts';

/** Keeps a cache directory for this process until it is released. */
export interface DirectoryLock {
  /**
   * Resolves if the directory is still the one that was locked. Another one in its place (after it was deleted and made
   * anew, or another file system was mounted) may be another process's.
   * @throws StoreError ESTALE if it is another one, ENOENT if there is none
   */
  assertHeld(): Promise<void>;
  release(): Promise<void>;
}

/** Another process has locked the cache directory. */
export class DirectoryLockedError extends Error {
  override readonly name = 'DirectoryLockedError';
  /** The process with the lock; undefined if unknown. */
  readonly holder: Holder | undefined;

  constructor(directory: string, holder: Holder | undefined) {
    const user = holder ? `process ${holder.pid} on ${holder.host}` : 'another process';
    super(`the cache directory ${directory} is in use by ${user}: stop it, or choose another directory`);
    this.holder = holder;
  }
}

/** The process that has the lock. */
export interface Holder {
  readonly pid: number;
  readonly host: string;
}

const SQLITE_BUSY = 5;

const GONE: ReadonlySet<string> = new Set(['ESTALE', 'ENOENT']);

/**
 * Locks the directory for this process until `release` or the process's end, however that comes. The lock is SQLite's
 * on `lock.db`, an empty file; `lock.json` beside it tells other processes which one has the lock. docs/adr/0004.
 * @throws DirectoryLockedError if another process has the lock, StoreError if the directory is not usable.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const root = layoutOf(directory).directory;
  const holderPath = join(root, 'lock.json');
  await prepareDirectory(root);
  const lockPath = join(root, 'lock.db');
  await makeDatabasePrivate(lockPath);
  const database = await acquire(lockPath);
  if (database === undefined) throw new DirectoryLockedError(root, await readHolder(holderPath));
  let locked: string;
  try {
    await writeHolder(holderPath);
    locked = await identityOf(lockPath);
  } catch (error) {
    database.close();
    throw error;
  }
  const assertHeld = async (): Promise<void> => {
    if ((await identityOf(lockPath)) === locked) return;
    const operation = `write to ${root}, which has been replaced since the start (restart Larder to use it)`;
    throw new StoreError(operation, { code: 'ESTALE' });
  };
  return {
    assertHeld,
    async release() {
      if (!database.isOpen) return;
      try {
        await assertHeld();
        await attempt(`delete ${holderPath}`, () => rm(holderPath, { force: true }));
      } catch (error) {
        // If another directory is in its place, `lock.json` there is about another process.
        if (!(error instanceof StoreError) || !GONE.has(error.code)) throw error;
      } finally {
        database.close();
      }
    },
  };
}

/** Returns what distinguishes a file from a later one of the same name. Throws StoreError. */
async function identityOf(path: string): Promise<string> {
  const { dev, ino } = await attempt(`find ${path}`, () => stat(path, { bigint: true }));
  return `${dev}:${ino}`;
}

/** @returns the database whose open transaction is the lock; undefined if another process has it. */
async function acquire(path: string): Promise<DatabaseSync | undefined> {
  return attempt(`lock ${path}`, async () => {
    const database = new DatabaseSync(path);
    try {
      // The transaction never writes, so it needs no journal file.
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
