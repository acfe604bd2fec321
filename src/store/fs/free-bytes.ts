import { statfs } from 'node:fs/promises';
import { attempt } from './io.ts';

/** Returns the bytes that this process may still write to the file system of the directory. Throws StoreError. */
export async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await attempt(`ask for the free space of ${directory}`, () => statfs(directory));
  return bavail * bsize;
}
