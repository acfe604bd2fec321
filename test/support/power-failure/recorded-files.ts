import type * as files from 'node:fs/promises';
import { isAbsolute, relative } from 'node:path';
import type { Change, DiskLog } from './disk-log.ts';

type Files = typeof files;
type Log = DiskLog<unknown>;

/** Functions that would change a directory without a record. */
const UNKNOWN = [
  'appendFile',
  'copyFile',
  'cp',
  'link',
  'symlink',
  'truncate',
  'unlink',
  'rmdir',
  'lchown',
] as const;
const UNKNOWN_OF_HANDLES = ['appendFile', 'createWriteStream', 'truncate', 'write', 'writeFile'] as const;

/** A log and the directory whose changes go into it. Each test sets a new one. */
export interface Recording {
  directory: string;
  log: Log;
}

/**
 * Returns Node's own file functions, which work as always and record what they do. For `vi.mock`, so that every change
 * that a store makes to its directory is recorded: unknown functions throw.
 * @param recording returns undefined while nothing is recorded
 */
export function recordingFiles(real: Files, recording: () => Recording | undefined): Files {
  const logFor = (path: unknown): Log | undefined => {
    const current = recording();
    return current !== undefined && isBelow(current.directory, String(path)) ? current.log : undefined;
  };
  const during = <T>(path: unknown, change: Change, work: () => Promise<T>): Promise<T> =>
    logFor(path)?.during([change], work) ?? work();
  const recorded = {
    mkdir: (path: string, mode: number) =>
      during(path, { kind: 'mkdir', path }, () => real.mkdir(path, mode)),
    rename: (from: string, to: string) =>
      during(to, { kind: 'rename', from, to }, () => real.rename(from, to)),
    rm: (path: string, options?: object) =>
      during(path, { kind: 'remove', path }, () => real.rm(path, options)),
    open: (path: string, flags: string, mode?: number) => {
      const log = logFor(path);
      if (log === undefined) return real.open(path, flags, mode);
      if (flags === 'r') return openToRead(real, log, path);
      if (flags === 'r+') return openForOthers(real, path);
      return openNew(real, log, { path, flags, mode });
    },
    writeFile: (path: string, data: string, options: { flag?: string; flush?: boolean }) => {
      const log = logFor(path);
      const work = (): Promise<void> => real.writeFile(path, data, options);
      return log === undefined ? work() : writeNew(log, { path, data, options }, work);
    },
  };
  const unknown = Object.fromEntries(
    UNKNOWN.map((name) => [
      name,
      (path: string, ...rest: unknown[]) => {
        if (logFor(path) !== undefined) throw new Error(`${name} of ${path} is not recorded`);
        return Reflect.apply(real[name], undefined, [path, ...rest]) as unknown;
      },
    ]),
  );
  const all = { ...real, ...unknown, ...recorded } as unknown as Files;
  return { ...all, default: all } as Files;
}

/** Returns whether a path is the directory or below it. The directory counts, since its name is in its parent. */
function isBelow(directory: string, path: string): boolean {
  const below = relative(directory, path);
  return !isAbsolute(below) && !below.startsWith('..');
}

async function openToRead(real: Files, log: Log, path: string): Promise<files.FileHandle> {
  const handle = await real.open(path, 'r');
  const sync = handle.sync.bind(handle);
  handle.sync = () => log.during([{ kind: 'sync-directory', path }], sync);
  return handle;
}

/** Opens a file. Writes through its descriptor alone are not recorded here: a test that makes them records them. */
async function openForOthers(real: Files, path: string): Promise<files.FileHandle> {
  const handle = await real.open(path, 'r+');
  for (const name of [...UNKNOWN_OF_HANDLES, 'writev'] as const) {
    handle[name] = () => {
      throw new Error(`${name} by a handle of ${path} is not recorded`);
    };
  }
  return handle;
}

interface Opening {
  readonly path: string;
  readonly flags: string;
  readonly mode: number | undefined;
}

async function openNew(real: Files, log: Log, { path, flags, mode }: Opening): Promise<files.FileHandle> {
  if (flags !== 'wx') throw new Error(`to open ${path} by ${flags} is not recorded`);
  const file = log.newFile();
  const handle = await log.during([{ kind: 'create', path, file }], () => real.open(path, flags, mode));
  const writev = handle.writev.bind(handle);
  const sync = handle.sync.bind(handle);
  const datasync = handle.datasync.bind(handle);
  handle.sync = () => log.during([{ kind: 'sync', file }], sync);
  handle.datasync = () => log.during([{ kind: 'sync', file }], datasync);
  handle.writev = (chunks, position) => {
    const bytes = Buffer.concat(chunks as readonly Uint8Array[]);
    return log.during([{ kind: 'write', file, position: position!, bytes }], () => writev(chunks, position));
  };
  for (const name of UNKNOWN_OF_HANDLES) {
    handle[name] = () => {
      throw new Error(`${name} by a handle of ${path} is not recorded`);
    };
  }
  return handle;
}

interface Writing {
  readonly path: string;
  readonly data: string;
  readonly options: { readonly flag?: string; readonly flush?: boolean };
}

async function writeNew(
  log: Log,
  { path, data, options }: Writing,
  work: () => Promise<void>,
): Promise<void> {
  if (options.flag !== 'wx') throw new Error(`to write ${path} without 'wx' is not recorded`);
  const file = log.newFile();
  const bytes = Buffer.from(data);
  await log.during(
    [
      { kind: 'create', path, file },
      { kind: 'write', file, position: 0, bytes },
    ],
    work,
  );
  // The one call has written and synced.
  if (options.flush === true) await log.during([{ kind: 'sync', file }], async () => undefined);
}
