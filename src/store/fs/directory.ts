import { access, constants, mkdir, open, opendir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StoreError } from '../error.ts';
import { attempt, isErrno } from './io.ts';

/** Images may be private: only the server's user reads the cache. */
const MODE = 0o700;

/**
 * Creates the directory and its parents, if they are missing, and checks that it can be written to.
 * @throws StoreError that names the directory and says why it cannot be used.
 */
export async function prepareDirectory(path: string): Promise<void> {
  await usingDirectory(path, async () => {
    await createDirectory(path);
    await (await opendir(path)).close();
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  });
}

/**
 * Does one step that makes the cache directory usable.
 * @throws StoreError that names the directory and says why it cannot be used.
 */
export async function usingDirectory(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new StoreError(await describeUse(path, error), error);
  }
}

/**
 * Does what `mkdir -p` does, and makes the result survive a power failure. Does not use mkdir's `recursive`, which
 * never returns if nothing can be created in a parent (in /proc; seen with Node 24.21).
 * @throws the file system's own error, or StoreError if the new directory cannot be made durable.
 */
export async function createDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, MODE);
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return;
    if (!isErrno(error, 'ENOENT') || dirname(path) === path) throw error;
    await createDirectory(dirname(path));
    await createInExisting(path);
  }
  await syncParent(path);
}

/** Makes a rename or a removal in the directory survive a power failure. Throws StoreError. */
export async function syncDirectory(path: string): Promise<void> {
  await attempt(`sync ${path}`, async () => {
    await using handle = await open(path, 'r');
    await handle.sync();
  });
}

/** Makes a new directory's name, which is in its parent, durable: without it, everything in it would be lost. */
async function syncParent(path: string): Promise<void> {
  try {
    await syncDirectory(dirname(path));
  } catch (error) {
    // A user may be allowed to create in the parent but not to read it. Refusing the cache directory would be worse.
    if (!isErrno(error, 'EACCES')) throw error;
  }
}

async function createInExisting(path: string): Promise<void> {
  try {
    await mkdir(path, MODE);
  } catch (error) {
    // Another process has created it first.
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}

const PROBLEMS: Readonly<Record<string, string>> = {
  EACCES: 'no permission to write there',
  EPERM: 'no permission to write there',
  EROFS: 'it is on a read-only file system',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'something on the way to it is not a directory',
  ENOENT: 'it is not there and cannot be created',
};

async function describeUse(path: string, error: unknown): Promise<string> {
  const isFile = await stat(path).then(
    (stats) => !stats.isDirectory(),
    () => false,
  );
  const problem = isFile ? 'it is not a directory' : PROBLEMS[(error as NodeJS.ErrnoException).code ?? ''];
  return `use ${path} as the cache directory${problem === undefined ? '' : ` (${problem})`}`;
}
