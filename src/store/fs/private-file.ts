import { chmod, open } from 'node:fs/promises';
import { attempt, isErrno } from './io.ts';
import { FILE_MODE } from './layout.ts';

/** Suffixes of a database's files. SQLite creates the write-ahead log and the log's index with the database's mode. */
const PARTS = ['', '-wal', '-shm'];

/**
 * Creates a database's file, before SQLite does, so that only this process's user can open it, and restricts existing
 * files likewise. It does not open those: closing one would end SQLite's locks on it (sqlite.org/howtocorrupt.html).
 * @throws StoreError
 */
export async function makeDatabasePrivate(path: string): Promise<void> {
  for (const part of PARTS) await tighten(`${path}${part}`);
  await attempt(`create ${path}`, async () => {
    const handle = await open(path, 'wx', FILE_MODE).catch(unlessErrno('EEXIST'));
    await handle?.close();
  });
}

/** Restricts a file's mode, if there is a file. Another user's file stays as it is: only the directory protects it. */
async function tighten(path: string): Promise<void> {
  await attempt(`make ${path} private`, () => chmod(path, FILE_MODE).catch(unlessErrno('ENOENT', 'EPERM')));
}

function unlessErrno(...codes: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (!codes.some((code) => isErrno(error, code))) throw error;
    return undefined;
  };
}
