import type { DatabaseSync } from 'node:sqlite';
import { IndexDamagedError, IndexVersionError } from '../error.ts';

/** Called when a schema was upgraded, with both versions. */
export type OnUpgrade = (from: number, to: number) => void;

/** Returns the version of a schema in use that `migrate` will upgrade; undefined if it will not. */
export function upgradableVersion(database: DatabaseSync, migrations: readonly string[]): number | undefined {
  const isThere = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'schema_version'").get();
  const row = isThere && database.prepare('SELECT version FROM schema_version').get();
  const version = Number(row?.['version'] ?? 0);
  return version > 0 && version < migrations.length ? version : undefined;
}

/**
 * Brings the database to the newest schema, in one transaction.
 * @param migrations step n makes version n + 1.
 * @param onUpgrade called after the steps if the database was in use with an older schema.
 * @throws IndexVersionError if the schema is newer than the last step, IndexDamagedError if the database has tables but
 *   no version, or the error of node:sqlite.
 */
export function migrate(
  database: DatabaseSync,
  path: string,
  migrations: readonly string[],
  onUpgrade: OnUpgrade = () => {},
): void {
  // A step may sort or group all rows of a million blobs. SQLite would do so in a temporary file, for which a read-only
  // root file system has no place.
  database.exec('PRAGMA temp_store = MEMORY');
  try {
    migrateAtOnce(database, path, migrations, onUpgrade);
  } finally {
    database.exec('PRAGMA temp_store = DEFAULT');
  }
}

function migrateAtOnce(
  database: DatabaseSync,
  path: string,
  migrations: readonly string[],
  onUpgrade: OnUpgrade,
): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    const version = schemaVersion(database, path);
    if (version > migrations.length) throw new IndexVersionError(path, version, migrations.length);
    for (const step of migrations.slice(version)) database.exec(step);
    database.prepare('UPDATE schema_version SET version = ?').run(migrations.length);
    database.exec('COMMIT');
    if (version > 0 && version < migrations.length) onUpgrade(version, migrations.length);
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function schemaVersion(database: DatabaseSync, path: string): number {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  if (tables.length === 0) {
    database.exec('CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT');
    database.exec('INSERT INTO schema_version (version) VALUES (0)');
    return 0;
  }
  const row = tables.some(({ name }) => name === 'schema_version')
    ? database.prepare('SELECT version FROM schema_version').get()
    : undefined;
  if (row === undefined) throw new IndexDamagedError(`${path} is a database, but not an index`, 'SCHEMA');
  return Number(row['version']);
}
