import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { quoted } from '../../text/quoted.ts';
import { BundleError } from '../bundle-error.ts';
import { CHECKSUMS_FILE } from './checksums.ts';
import { formOf } from './save-bundle.ts';

/**
 * Refuses paths at which a bundle, and perhaps an inventory, cannot be written: otherwise that would show only when the
 * work is done. An inventory that has the place of the bundle or of its checksums would destroy them.
 * @throws BundleError
 */
export async function requirePlaces(bundle: string, inventory: string | undefined): Promise<void> {
  const target = await placeOf(bundle);
  const isThere = await isDirectory(bundle);
  if (formOf(bundle) !== 'directory' && isThere === true) {
    throw new BundleError(`${quoted(bundle)} is a directory: for a bundle in one, end its name in a slash`);
  }
  if (formOf(bundle) === 'directory' && isThere !== undefined) {
    throw new BundleError(`${quoted(bundle)} is there already: move it away`);
  }
  if (inventory === undefined) return;
  const place = await placeOf(inventory);
  if (place === target || place === join(dirname(target), CHECKSUMS_FILE)) {
    throw new BundleError(`the inventory ${quoted(inventory)} would overwrite the bundle or its checksums`);
  }
  if ((await isDirectory(inventory)) === true) throw new BundleError(`${quoted(inventory)} is a directory`);
}

/** Returns the path without links to folders. @throws BundleError if its folder is none */
async function placeOf(path: string): Promise<string> {
  const folder = dirname(path);
  if ((await isDirectory(folder)) !== true) {
    throw new BundleError(`${quoted(path)} cannot be written: there is no folder ${quoted(folder)}`);
  }
  return join(await realpath(folder), basename(path));
}

/** Whether it is a directory; undefined: there is nothing. */
async function isDirectory(path: string): Promise<boolean | undefined> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      if (error.code === 'ENOTDIR') return false;
      throw error;
    },
  );
}
