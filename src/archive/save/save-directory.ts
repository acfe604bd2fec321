import { createHash } from 'node:crypto';
import { mkdir, open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BundleError } from '../bundle-error.ts';
import { digestOfPath, INDEX_FILE, LAYOUT_FILE } from '../layout/paths.ts';
import type { BundleEntry } from '../reading/bundle-entry.ts';
import { fileBytes } from '../reading/file-bytes.ts';
import { readTar } from '../reading/read-tar.ts';
import type { BundleSource } from './bundle-source.ts';
import type { Checksum } from './checksums.ts';
import { verifiedBytes } from './verified.ts';

/**
 * Writes a bundle as a directory. Files that an earlier run has written whole are not written again.
 * @param onProgress called with the bytes of the bundle that are done
 * @returns the checksums of the files that are not named by their digests
 * @throws BundleError if the source gives wrong bytes
 */
export async function saveDirectory(
  source: BundleSource,
  path: string,
  onProgress: (bytes: number) => void,
): Promise<readonly Checksum[]> {
  const checksums: Checksum[] = [];
  for await (const entry of readTar(counted(source, onProgress))) {
    const sha256 = await saveEntry(entry, join(path, entry.path));
    if (entry.path === INDEX_FILE || entry.path === LAYOUT_FILE) checksums.push({ path: entry.path, sha256 });
  }
  return checksums;
}

async function saveEntry(entry: BundleEntry, path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await using handle = (await isWritten(entry, path)) ? undefined : await open(path, 'w');
  const hash = createHash('sha256');
  for await (const chunk of verifiedBytes(entry)) {
    hash.update(chunk);
    await handle?.appendFile(chunk);
  }
  await handle?.sync();
  return hash.digest('hex');
}

/** Whether an earlier run has written the file, and a crash of the machine has lost none of its bytes. */
async function isWritten(entry: BundleEntry, path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found?.size !== entry.size || digestOfPath(entry.path) === undefined) return false;
  await using handle = await open(path);
  try {
    for await (const _ of verifiedBytes({ ...entry, bytes: fileBytes(handle) }));
    return true;
  } catch (error) {
    if (error instanceof BundleError) return false;
    throw error;
  }
}

async function* counted(
  source: BundleSource,
  onProgress: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const chunk of source.read(0)) {
    yield chunk;
    done += chunk.length;
    onProgress(done);
  }
}
