import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { IndexDamagedError } from '../error.ts';
import { migrate, type OnUpgrade } from './migrate.ts';
import { MIGRATIONS } from './schema.ts';
import { SQL, type Rows, type StatementName } from '../sql/statements.ts';
import { DIALECT } from './dialect.ts';
import { isSchemaMismatch, translateError } from './sqlite-error.ts';

/** How long opening waits for a program that holds the file. Nothing is served yet, and that program may end soon. */
const OPEN_TIMEOUT_MS = 2000;

/** Called with the number of rows that a statement has read or changed, as far as the engine tells. */
export type OnRows = (rows: number) => void;

export interface ConnectionOptions {
  /** How long a statement on the open file waits for another program that writes into it, milliseconds. Default: 0. */
  readonly busyTimeoutMs?: number;
  readonly onRows?: OnRows;
  readonly onUpgrade?: OnUpgrade;
}

/** The database, with its statements prepared once. Its methods throw IndexError and nothing else. */
export class Connection {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #statements: Readonly<Record<StatementName, StatementSync>>;
  readonly #onRows: OnRows;

  /** @throws IndexError; IndexDamagedError or IndexVersionError if that is the reason */
  constructor(path: string, { busyTimeoutMs = 0, onRows = () => {}, onUpgrade }: ConnectionOptions = {}) {
    this.#path = path;
    this.#onRows = onRows;
    this.#database = this.#translating(() => new DatabaseSync(path, { timeout: OPEN_TIMEOUT_MS }));
    try {
      this.#statements = this.#translating(() => this.#prepare(onUpgrade));
      this.#translating(() => this.#database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`));
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Returns the first row. */
  get<Name extends keyof Rows>(name: Name, ...values: SQLInputValue[]): Rows[Name] | undefined {
    this.#onRows(1);
    return this.#translating(() => this.#statements[name].get(...values) as Rows[Name] | undefined);
  }

  all<Name extends keyof Rows>(name: Name, ...values: SQLInputValue[]): readonly Rows[Name][] {
    const rows = this.#translating(() => this.#statements[name].all(...values) as unknown as Rows[Name][]);
    this.#onRows(Math.max(1, rows.length));
    return rows;
  }

  /** @returns how many rows were changed. */
  run(name: StatementName, ...values: SQLInputValue[]): number {
    const changes = this.#translating(() => Number(this.#statements[name].run(...values).changes));
    this.#onRows(Math.max(1, changes));
    return changes;
  }

  /** Does all of `work` or nothing of it. Transactions do not nest. */
  transaction<T>(work: () => T): T {
    return this.#translating(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        this.#database.exec('COMMIT');
        return result;
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  close(): void {
    if (this.#database.isOpen) this.#translating(() => this.#database.close());
  }

  #prepare(onUpgrade?: OnUpgrade): Record<StatementName, StatementSync> {
    // In WAL, NORMAL can lose the last transactions in a power failure but never damages the file: the index is
    // a cache of what is on disk. The page cache holds the inner pages of a million blobs.
    this.#database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA cache_size = -32768;
      PRAGMA journal_size_limit = 67108864`);
    migrate(this.#database, this.#path, MIGRATIONS, onUpgrade);
    const statements = Object.entries({ ...SQL, ...DIALECT }).map(([name, sql]) => [
      name,
      this.#prepareOne(sql),
    ]);
    return Object.fromEntries(statements) as Record<StatementName, StatementSync>;
  }

  #prepareOne(sql: string): StatementSync {
    try {
      return this.#database.prepare(sql);
    } catch (error) {
      if (!isSchemaMismatch(error)) throw error;
      const message = `${this.#path}: its tables are not those of its version`;
      throw new IndexDamagedError(message, 'SCHEMA', { cause: error });
    }
  }

  #translating<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw translateError(this.#path, error);
    }
  }
}
