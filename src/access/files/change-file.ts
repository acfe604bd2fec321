import { mkdir, open, readFile, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { unlessMissing } from '../missing-file.ts';
import { syncFolder } from '../sync-folder.ts';

/** How often a command looks whether another that changes the same file has ended, and the time between. */
const LOOKS = 100;
const LOOK_MS = 50;

/** Resolves after so many milliseconds. Unlike a timer of the clock, it keeps the process alive. */
export type Pause = (ms: number) => Promise<unknown>;

/**
 * Changes a file of logins. Commands take turns: the new file is written beside the old one under the name that all of
 * them use, which one at a time can create, and then takes its place. So a crash leaves the old file or the new one,
 * never a part. The mode and the owner stay: root may change the file of a server that runs as another user.
 * @param change returns the new text; undefined: nothing is to be changed. Gets undefined if there is no file
 * @throws Error that says which file is in the way; the system's error; what `change` throws
 */
export async function changeFile(
  path: string,
  pause: Pause,
  change: (text: string | undefined) => string | undefined,
): Promise<void> {
  // A file behind a symbolic link is changed where it is.
  const target = (await unlessMissing(realpath(path))) ?? path;
  await makeFolder(dirname(target));
  const temporary = `${target}.new`;
  const handle = await openAlone(temporary, pause);
  try {
    await using file = handle;
    const changed = change(await unlessMissing(readFile(target, 'utf8')));
    if (changed === undefined) return await rm(temporary);
    await inherit(file, target);
    await file.writeFile(changed);
    await file.sync();
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(target));
}

async function openAlone(path: string, pause: Pause): Promise<FileHandle> {
  for (let look = 0; look < LOOKS; look += 1) {
    try {
      return await open(path, 'wx', 0o600);
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
    await pause(LOOK_MS);
  }
  throw new Error(
    `${path} is there: another command is changing the file, or one was interrupted; if none runs, delete ${path}`,
  );
}

/** Gives a new file the mode and the owner of the one that it replaces, or the owner of its folder. */
async function inherit(file: FileHandle, target: string): Promise<void> {
  const old = await unlessMissing(stat(target));
  await file.chmod(old === undefined ? 0o600 : old.mode & 0o777);
  await own(await stat(old === undefined ? dirname(target) : target), (uid, gid) => file.chown(uid, gid));
}

async function makeFolder(path: string): Promise<void> {
  const made = await mkdir(path, { recursive: true, mode: 0o700 });
  if (made === undefined) return;
  const handle = await open(path, 'r');
  await using folder = handle;
  await own(await stat(dirname(made)), (uid, gid) => folder.chown(uid, gid));
}

/** Only root can give files away; what others make is their own. */
async function own(
  { uid, gid }: { readonly uid: number; readonly gid: number },
  chown: (uid: number, gid: number) => Promise<void>,
): Promise<void> {
  if (process.getuid?.() === 0) await chown(uid, gid);
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}
