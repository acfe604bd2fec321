import { createHash } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { BundleError } from '../bundle-error.ts';
import { fileBytes } from '../reading/file-bytes.ts';
import type { BundleSource } from './bundle-source.ts';
import { verified } from './verified.ts';

/**
 * Writes a bundle into a file, from where an earlier run has stopped. All bytes are verified, those of the earlier run
 * too; if these are wrong, since a crash of the machine has lost some, it begins again.
 * @param onProgress called with the bytes that are there
 * @returns the file's SHA-256 in hex
 * @throws BundleError if the source gives wrong bytes; the file is removed then
 */
export async function saveTar(
  source: BundleSource,
  path: string,
  onProgress: (bytes: number) => void,
): Promise<string> {
  await using handle = await open(path, 'a+');
  const { size } = await handle.stat();
  try {
    return await append(source, handle, { offset: Math.min(size, source.size), onProgress });
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    if (size === 0) await rm(path);
    if (size === 0) throw error;
    await handle.truncate(0);
    return await append(source, handle, { offset: 0, onProgress }).catch(async (again: unknown) => {
      if (again instanceof BundleError) await rm(path);
      throw again;
    });
  }
}

interface Progress {
  /** Where the file ends. */
  readonly offset: number;
  readonly onProgress: (bytes: number) => void;
}

async function append(
  source: BundleSource,
  handle: FileHandle,
  { offset, onProgress }: Progress,
): Promise<string> {
  const hash = createHash('sha256');
  let position = 0;
  for await (const chunk of verified(continued(source, handle, offset))) {
    hash.update(chunk);
    if (position >= offset) await handle.appendFile(chunk);
    position += chunk.length;
    onProgress(position);
  }
  if (position !== source.size) throw new BundleError(`${position} of ${source.size} bytes have come`);
  await handle.sync();
  return hash.digest('hex');
}

/** Reads what the file has, then what it lacks. */
async function* continued(
  source: BundleSource,
  handle: FileHandle,
  offset: number,
): AsyncGenerator<Uint8Array> {
  if (offset > 0) yield* fileBytes(handle);
  yield* source.read(offset);
}
