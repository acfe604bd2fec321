import { readdir, readlink } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Returns what `look` still finds after all cleaning up. Looks until it finds nothing, or until QUIET_TURNS turns of
 * the event loop had no file request: within these, anything that is still to be closed would have begun to close.
 */
export async function leftOver(look: () => Promise<readonly string[]>): Promise<readonly string[]> {
  for (let quiet = 0; ; quiet = process.getActiveResourcesInfo().some(isFileRequest) ? 0 : quiet + 1) {
    const left = await look();
    if (left.length === 0 || quiet === QUIET_TURNS) return left;
    await nextTurn();
  }
}

const QUIET_TURNS = 50;

function isFileRequest(resource: string): boolean {
  return /^F.*Req/.test(resource);
}

/** @param counts by the name of what is counted @returns a line for each count that is not zero again */
export function notZero(counts: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(counts).flatMap(([what, count]) => (count === 0 ? [] : [`${what}: ${count}`]));
}

/** Returns the files below the directory that this process has open; none if there is no /proc. */
export async function openFiles(directory: string): Promise<readonly string[]> {
  const descriptors = await readdir('/proc/self/fd').catch(() => []);
  const paths = descriptors.map((descriptor) => readlink(`/proc/self/fd/${descriptor}`).catch(() => ''));
  return (await Promise.all(paths)).filter((path) => path.startsWith(directory));
}
