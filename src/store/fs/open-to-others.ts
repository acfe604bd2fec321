import { statSync } from 'node:fs';

/** Mode bits: what other users of the machine may do with a directory. */
const OTHERS = 0o007;

/**
 * Returns a warning if other users of the machine may enter the cache directory: its content may be private.
 * @returns undefined if they may not, or if there is no such directory yet
 */
export function openToOthers(directory: string): string | undefined {
  const mode = statSync(directory, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & OTHERS) === 0) return undefined;
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  return `other users of this machine may enter the cache directory ${directory} (mode ${shown}): chmod o= ${directory}`;
}
