import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { quoted } from '../../text/quoted.ts';
import { BundleError } from '../bundle-error.ts';
import type { BundleEntry } from './bundle-entry.ts';
import { fileBytes } from './file-bytes.ts';

/** Depth of a layout: `blobs/sha256/<hex>`. What lies deeper is no part of one. */
const MAX_DEPTH = 3;

/**
 * Reads the files of a directory, in the order of their names. No link is followed.
 * @param onRead called with the number of bytes of each chunk that was read
 * @throws BundleError if there is something else than files and directories; the errors of the file system
 */
export async function* readDirectory(
  directory: string,
  onRead: (bytes: number) => void = () => {},
): AsyncGenerator<BundleEntry> {
  for await (const path of filesOf(directory, '', 1)) {
    await using handle = await open(join(directory, path), constants.O_RDONLY | constants.O_NOFOLLOW);
    const { size } = await handle.stat();
    yield { path, size, bytes: fileBytes(handle, onRead) };
  }
}

async function* filesOf(directory: string, folder: string, depth: number): AsyncGenerator<string> {
  const entries = await readdir(join(directory, folder), { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (depth < MAX_DEPTH) yield* filesOf(directory, path, depth + 1);
    } else if (entry.isFile()) yield path;
    else throw new BundleError(`${quoted(path)} is neither a file nor a directory`);
  }
}
