import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundleEntry } from './bundle-entry.ts';
import { fileBytes } from './file-bytes.ts';
import { readDirectory } from './read-directory.ts';
import { readTar } from './read-tar.ts';

/** A bundle that can be read once. */
export interface OpenedBundle {
  /** Bytes of its files, as they lie on the disk. */
  readonly size: number;
  /** @param onRead called with the number of bytes of each chunk that was read from the disk */
  entries(onRead?: (bytes: number) => void): AsyncIterable<BundleEntry>;
}

/** Opens a bundle: a tar archive, which may be compressed, or a directory. @throws the errors of the file system */
export async function openBundle(path: string): Promise<OpenedBundle> {
  const stats = await stat(path);
  if (!stats.isDirectory()) return { size: stats.size, entries: (onRead) => readFileEntries(path, onRead) };
  return { size: await sizeOf(path), entries: (onRead) => readDirectory(path, onRead) };
}

async function* readFileEntries(path: string, onRead?: (bytes: number) => void): AsyncGenerator<BundleEntry> {
  await using handle = await open(path);
  yield* readTar(fileBytes(handle, onRead));
}

async function sizeOf(directory: string): Promise<number> {
  let size = 0;
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) size += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return size;
}
