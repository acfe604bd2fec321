import { IndexDamagedError, IndexError } from '../error.ts';

/** Primary result codes (sqlite.org/rescode.html) that an operator can do something about. */
const NAMES: Readonly<Record<number, string>> = {
  3: 'SQLITE_PERM',
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  7: 'SQLITE_NOMEM',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  26: 'SQLITE_NOTADB',
};

const DAMAGED: ReadonlySet<string | undefined> = new Set(['SQLITE_CORRUPT', 'SQLITE_NOTADB']);

/** Translates an error of node:sqlite into the index's own; returns any other error as it is. */
export function translateError(path: string, error: unknown): unknown {
  if (!isSqliteError(error)) return error;
  // The low byte is the primary code; the rest of an extended code refines it.
  const name = NAMES[error.errcode & 0xff];
  const message = `${path}: ${error.message}${name === undefined ? '' : ` (${name})`}`;
  const options = { cause: error };
  return DAMAGED.has(name)
    ? new IndexDamagedError(message, name ?? '', options)
    : new IndexError(message, name ?? `SQLITE_${error.errcode}`, options);
}

/** Whether a statement does not fit the tables: if the version is the known one, they were changed by hand. */
export function isSchemaMismatch(error: unknown): boolean {
  return isSqliteError(error) && (error.errcode & 0xff) === 1;
}

function isSqliteError(error: unknown): error is Error & { readonly errcode: number } {
  return error instanceof Error && typeof (error as { errcode?: unknown }).errcode === 'number';
}
