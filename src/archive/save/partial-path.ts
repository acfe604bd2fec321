import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { digestHex, type Digest } from '../../oci/digest.ts';

const SUFFIX = '.partial';

/**
 * Returns the path under which a bundle is written until it is whole: beside its final path, and named by its identity,
 * so that only the same bundle goes on where it was.
 */
export function partialPath(path: string, identity: Digest): string {
  return join(dirname(path), `.${basename(path)}.${digestHex(identity).slice(0, 16)}${SUFFIX}`);
}

/** Removes what interrupted exports of other bundles to the same path have left. */
export async function removeOtherPartials(path: string, identity: Digest): Promise<void> {
  const own = basename(partialPath(path, identity));
  const pattern = /^\.(.+)\.[a-f0-9]{16}\.partial$/;
  for (const name of await readdir(dirname(path))) {
    if (name === own || pattern.exec(name)?.[1] !== basename(path)) continue;
    await rm(join(dirname(path), name), { recursive: true, force: true });
  }
}
