import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, it } from 'vitest';
import { migrate, upgradableVersion } from './migrate.ts';

const STEPS = [
  'CREATE TABLE one (value INTEGER); INSERT INTO one VALUES (1)',
  'CREATE TABLE two (value INTEGER); INSERT INTO two SELECT value + 1 FROM one',
  'DROP TABLE one',
];

/** https://sqlite.org/pragma.html#pragma_temp_store */
const BY_DEFAULT = 0;
const MEMORY = 2;

describe('migrate', () => {
  let database: DatabaseSync;

  beforeEach(() => {
    database = new DatabaseSync(':memory:');
    return () => database.close();
  });

  const version = (): unknown => database.prepare('SELECT version FROM schema_version').get()?.['version'];

  it.each([0, 1, 2, 3])('goes on from version %i', (from) => {
    migrate(database, 'test', STEPS.slice(0, from));
    expect(version()).toBe(from);
    migrate(database, 'test', STEPS);
    expect(version()).toBe(3);
    expect(database.prepare('SELECT value FROM two').get()).toEqual({ value: 2 });
  });

  it('changes nothing if the schema is the newest', () => {
    migrate(database, 'test', STEPS);
    database.exec('UPDATE two SET value = 42');
    migrate(database, 'test', STEPS);
    expect(database.prepare('SELECT value FROM two').all()).toEqual([{ value: 42 }]);
  });

  it('reports the upgrade of a database that was in use, and nothing if there is nothing to do', () => {
    const told: [from: number, to: number][] = [];
    const upTo = (steps: number): void =>
      migrate(database, 'test', STEPS.slice(0, steps), (...versions) => told.push(versions));
    for (const steps of [1, 1, 3, 3]) upTo(steps);
    expect(told).toEqual([[1, 3]]);
  });

  it('upgradableVersion tells beforehand what will be upgraded', () => {
    const told = [0, 1, 3].map((steps) => {
      if (steps > 0) migrate(database, 'test', STEPS.slice(0, steps));
      return upgradableVersion(database, STEPS);
    });
    expect(told).toEqual([undefined, 1, undefined]);
  });

  it('does all steps or none', () => {
    migrate(database, 'test', STEPS.slice(0, 1));
    const broken = [...STEPS.slice(0, 2), 'DROP TABLE missing'];
    expect(() => migrate(database, 'test', broken)).toThrow('no such table');
    expect(version()).toBe(1);
    expect(() => database.prepare('SELECT value FROM two')).toThrow('no such table');
    expect(database.isTransaction).toBe(false);
  });

  it('sorts in memory while it runs, since there may be no place for a temporary file', () => {
    const store = (): unknown => database.prepare('PRAGMA temp_store').get()?.['temp_store'];
    migrate(database, 'test', ['CREATE TABLE seen AS SELECT temp_store FROM pragma_temp_store']);
    expect(database.prepare('SELECT temp_store FROM seen').get()).toEqual({ temp_store: MEMORY });
    expect(store()).toBe(BY_DEFAULT);
    expect(() => migrate(database, 'test', ['', 'DROP TABLE missing'])).toThrow('no such table');
    expect(store()).toBe(BY_DEFAULT);
  });

  it('refuses a newer version', () => {
    migrate(database, 'test', STEPS);
    expect(() => migrate(database, '/cache/index.db', STEPS.slice(0, 2))).toThrow(
      '/cache/index.db has schema version 3; this Larder knows versions up to 2',
    );
    expect(version()).toBe(3);
  });
});
