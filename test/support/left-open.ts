import { readdir, readlink } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HeldStore } from '../../src/store/held-store.ts';

/** Digests that are held and files of the directory that are open once all that was cut has been cleared away. */
export async function leftOpen(store: HeldStore, directory: string): Promise<readonly string[]> {
  for (let quiet = 0; ; quiet = process.getActiveResourcesInfo().some(isFileRequest) ? 0 : quiet + 1) {
    const left = [...store.held, ...(await openFiles(directory))];
    if (left.length === 0 || quiet === QUIET_TURNS) return left;
    await nextTurn();
  }
}

/** As many turns without a file request are enough for what is to be closed to begin with it. */
const QUIET_TURNS = 50;

function isFileRequest(resource: string): boolean {
  return /^F.*Req/.test(resource);
}

/** Files below the directory that this process has open. Where /proc does not tell, none. */
async function openFiles(directory: string): Promise<string[]> {
  const descriptors = await readdir('/proc/self/fd').catch(() => []);
  const paths = descriptors.map((descriptor) => readlink(`/proc/self/fd/${descriptor}`).catch(() => ''));
  return (await Promise.all(paths)).filter((path) => path.startsWith(directory));
}
