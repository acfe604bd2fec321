import { open, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { quoted } from '../../text/quoted.ts';
import { BundleError } from '../bundle-error.ts';
import type { BundleSource } from './bundle-source.ts';
import { writeChecksums, type Checksum } from './checksums.ts';
import { partialPath, removeOtherPartials } from './partial-path.ts';
import { saveDirectory } from './save-directory.ts';
import { saveTar } from './save-tar.ts';
import { saveZstd } from './save-zstd.ts';

/** What a bundle is written as. */
export type BundleForm = 'tar' | 'zstd' | 'directory';

/** A bundle that is whole under its final path. */
export interface SavedBundle {
  readonly path: string;
  /** The file with its checksum. */
  readonly checksums: string;
}

/** Tells by its name what a bundle is to be written as. @throws BundleError if the name does not tell */
export function formOf(path: string): BundleForm {
  if (path.endsWith('/')) return 'directory';
  if (path.endsWith('.tar')) return 'tar';
  if (path.endsWith('.tar.zst')) return 'zstd';
  throw new BundleError(`${quoted(path)} must end in .tar or .tar.zst, or in a slash for a directory`);
}

/**
 * Writes a bundle to its path. It has that name only once it is whole and verified. A file that had the name is
 * replaced; a directory is not.
 * @param onProgress called with the bytes of the bundle that are done
 * @throws BundleError; the errors of the file system and of the source
 */
export async function saveBundle(
  source: BundleSource,
  path: string,
  onProgress: (bytes: number) => void = () => {},
): Promise<SavedBundle> {
  const form = formOf(path);
  const target = path.replace(/\/+$/, '');
  if (form === 'directory') await requireNothing(target);
  await removeOtherPartials(target, source.identity);
  const partial = partialPath(target, source.identity);
  const checksums = await save(form, { source, partial, target, onProgress });
  await rename(partial, target);
  await syncDirectory(dirname(target));
  return { path: target, checksums: await writeChecksums(target, checksums) };
}

interface Saving {
  readonly source: BundleSource;
  readonly partial: string;
  readonly target: string;
  readonly onProgress: (bytes: number) => void;
}

async function save(
  form: BundleForm,
  { source, partial, target, onProgress }: Saving,
): Promise<readonly Checksum[]> {
  if (form === 'directory') {
    const files = await saveDirectory(source, partial, onProgress);
    return files.map(({ path, sha256 }) => ({ path: join(target, path), sha256 }));
  }
  const write = form === 'tar' ? saveTar : saveZstd;
  return [{ path: target, sha256: await write(source, partial, onProgress) }];
}

/** A directory cannot be exchanged for another one at once, so a bundle never gets the name of one that is there. */
async function requireNothing(path: string): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (found !== undefined) throw new BundleError(`${quoted(path)} is there already: move it away`);
}

async function syncDirectory(path: string): Promise<void> {
  await using handle = await open(path);
  await handle.sync();
}
