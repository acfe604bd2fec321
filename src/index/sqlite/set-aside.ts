import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { IndexError } from '../error.ts';

/** Suffixes of a database's files: the database itself, its write-ahead log and the log's index. */
const PARTS = ['', '-wal', '-shm'];

/** Number of damaged databases kept for inspection: a disk that breaks one after the other must not fill up. */
const KEPT = 2;

/**
 * Moves a closed database out of the way, to `<path>.damaged-<time>`, where SQLite's own tools can still open it. Of
 * earlier ones, only the newest is kept.
 * @param now milliseconds since the epoch
 * @returns the new path
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
