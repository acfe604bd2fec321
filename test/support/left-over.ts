import { readdir, readlink } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * What is still there once all that was cut has been cleared away: looked for until there is nothing, or there have
 * been as many turns of the event loop without a file request as are enough for what is to be closed to begin with it.
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

/** @param counts by what is counted @returns a line for each that has not returned to zero */
export function notZero(counts: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(counts).flatMap(([what, count]) => (count === 0 ? [] : [`${what}: ${count}`]));
}

/** Files below the directory that this process has open. Where /proc does not tell, none. */
export async function openFiles(directory: string): Promise<readonly string[]> {
  const descriptors = await readdir('/proc/self/fd').catch(() => []);
  const paths = descriptors.map((descriptor) => readlink(`/proc/self/fd/${descriptor}`).catch(() => ''));
  return (await Promise.all(paths)).filter((path) => path.startsWith(directory));
}
