import { chmod, open } from 'node:fs/promises';
import { attempt, isErrno } from './io.ts';
import { FILE_MODE } from './layout.ts';

/** A database's write-ahead log and the log's index get the mode of the database when SQLite makes them. */
const PARTS = ['', '-wal', '-shm'];

/**
 * Makes a database's file, before SQLite does, one that only this process's user can open, and those that are there
 * already. A file that is there is not opened: its closing would end SQLite's locks on it (sqlite.org/howtocorrupt.html).
 * @throws StoreError
 */
export async function makeDatabasePrivate(path: string): Promise<void> {
  for (const part of PARTS) await tighten(`${path}${part}`);
  await attempt(`create ${path}`, async () => {
    const handle = await open(path, 'wx', FILE_MODE).catch(unlessErrno('EEXIST'));
    await handle?.close();
  });
}

/** Where the file is another user's, which it then stays, the directory's mode is all that protects it. */
async function tighten(path: string): Promise<void> {
  await attempt(`make ${path} private`, () => chmod(path, FILE_MODE).catch(unlessErrno('ENOENT', 'EPERM')));
}

function unlessErrno(...codes: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (!codes.some((code) => isErrno(error, code))) throw error;
    return undefined;
  };
}
