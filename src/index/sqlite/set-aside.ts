import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { IndexError } from '../error.ts';

/** A database is its file, its write-ahead log and the log's index. */
const PARTS = ['', '-wal', '-shm'];

/** How many damaged databases are kept to be looked at: a disk that breaks them again and again must not fill. */
const KEPT = 2;

/**
 * Moves a database that is not open out of the way: to `<path>.damaged-<time>`, so that SQLite's own tools can
 * still open it there. Of earlier ones the newest is kept.
 * @param now milliseconds since the epoch
 * @returns where it is now
 * @throws IndexError
 */
export async function setDatabaseAside(path: string, now: number): Promise<string> {
  const target = `${path}.damaged-${new Date(now).toISOString().replaceAll(':', '-')}`;
  try {
    for (const part of PARTS) await renameIfThere(`${path}${part}`, `${target}${part}`);
    await trim(path);
    return target;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'UNKNOWN';
    throw new IndexError(`cannot set the damaged ${path} aside: ${code}`, code, { cause: error });
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

async function trim(path: string): Promise<void> {
  const folder = dirname(path);
  const prefix = `${basename(path)}.damaged-`;
  const names = (await readdir(folder)).filter((name) => name.startsWith(prefix));
  const databases = [...new Set(names.map(databaseOf))].sort();
  const kept = new Set(databases.slice(-KEPT));
  const old = names.filter((name) => !kept.has(databaseOf(name)));
  for (const name of old) await rm(join(folder, name), { force: true });
}

function databaseOf(name: string): string {
  return name.replace(/-(?:wal|shm)$/, '');
}
