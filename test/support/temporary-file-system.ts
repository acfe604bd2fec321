import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryDirectory, type TemporaryDirectory } from './e2e/temporary.ts';

/** Returns whether this process may mount file systems: root may, except in most containers. */
export async function canMount(): Promise<boolean> {
  try {
    await using _mounted = await temporaryFileSystem('size=64k');
    return true;
  } catch {
    return false;
  }
}

/** Mounts a new file system in memory. @param options of mount(8): `size=1m` */
export async function temporaryFileSystem(options: string): Promise<TemporaryDirectory> {
  const directory = await temporaryDirectory('mount');
  const path = join(directory.path, 'mounted');
  try {
    await mkdir(path);
    await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', options, 'larder-test', path]);
    return { path, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
  } catch (error) {
    await directory[Symbol.asyncDispose]();
    throw error;
  }
}
