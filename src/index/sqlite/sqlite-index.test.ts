import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory, type TemporaryDirectory } from '../../../test/support/e2e/temporary.ts';
import { describeContentIndex } from '../content-index.contract.ts';
import { DEBIAN, digest, edge, LATEST, manifest } from '../content.contract.ts';
import { IndexError } from '../error.ts';
import { digestToBytes } from '../sql/digest-bytes.ts';
import { openSqliteIndex } from './sqlite-index.ts';

describeContentIndex('SQLite in memory', () => openSqliteIndex(':memory:'));

describe('SQLite in a file', () => {
  let directory: TemporaryDirectory;
  let path: string;

  beforeEach(async () => {
    directory = await temporaryDirectory('index');
    path = join(directory.path, 'index.db');
  });

  afterEach(async () => {
    await directory[Symbol.asyncDispose]();
  });

  describeContentIndex('it', () => openSqliteIndex(path));

  /** Returns what another program sees in the file. */
  function look(sql: string, ...values: Uint8Array[]): unknown[] {
    using database = new DatabaseSync(path, { readOnly: true, returnArrays: true });
    return database.prepare(sql).all(...values);
  }

  it('is still there when it is opened again', async () => {
    const before = await openSqliteIndex(path);
    await before.putTag(DEBIAN, LATEST, { digest: digest('a'), checkedAt: 1 });
    await before.putManifest(DEBIAN, manifest('m'), [edge('layer', 'l')]);
    await before.putBlob({ digest: digest('l'), size: 7 }, 1);
    await before.close();

    const after = await openSqliteIndex(path);
    expect(await after.tag(DEBIAN, LATEST)).toEqual({ digest: digest('a'), checkedAt: 1 });
    expect(await after.edges(digest('m'))).toEqual([edge('layer', 'l')]);
    expect(await after.stats()).toEqual({ blobs: 1, bytes: 7 });
    await after.close();
    await after.close();
  });

  it('never turns the time of the last use back', async () => {
    const index = await openSqliteIndex(path);
    const usedAt = (): unknown =>
      look('SELECT used_at FROM blobs WHERE digest = ?', digestToBytes(digest('a')));
    await index.putBlob({ digest: digest('a'), size: 10 }, 5);
    await index.touch(new Map([[digest('a'), 9]]));
    expect(usedAt()).toEqual([[9]]);
    await index.touch(new Map([[digest('a'), 7]]));
    await index.putBlob({ digest: digest('a'), size: 10 }, 6);
    expect(usedAt()).toEqual([[9]]);
    await index.putBlob({ digest: digest('a'), size: 10 }, 11);
    expect(usedAt()).toEqual([[11]]);
    await index.close();
  });

  it('keeps as many ended spells of a tag as configured', async () => {
    const index = await openSqliteIndex(path, { historyLength: 2 });
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      await index.putTag(DEBIAN, LATEST, { digest: digest(name), checkedAt: 1 });
    }
    const history = await index.tagHistory(DEBIAN, LATEST);
    expect(history.map((spell) => spell.digest)).toEqual([digest('e'), digest('d'), digest('c')]);
    expect(look('SELECT count(*) FROM tag_history')).toEqual([[2]]);
    await index.close();
  });

  it('makes a change whole or not at all', async () => {
    const index = await openSqliteIndex(path);
    const impossible = { ...edge('layer', 'l'), size: 0.5 };
    await expect(index.putManifest(DEBIAN, manifest('m'), [edge('layer', 'k'), impossible])).rejects.toThrow(
      IndexError,
    );
    expect(await index.manifest(digest('m'))).toBeUndefined();
    expect(await index.edges(digest('m'))).toEqual([]);
    expect(await index.belongs(DEBIAN, digest('m'))).toBe(false);
    await index.putManifest(DEBIAN, manifest('m'), [edge('layer', 'k')]);
    expect(await index.edges(digest('m'))).toEqual([edge('layer', 'k')]);
    await index.close();
  });

  it('uses the write-ahead log', async () => {
    const index = await openSqliteIndex(path);
    expect(look('PRAGMA journal_mode')).toEqual([['wal']]);
    await index.close();
  });

  it('does not wait for another program that writes into it, and reads meanwhile', async () => {
    const index = await openSqliteIndex(path);
    await index.putTag(DEBIAN, LATEST, { digest: digest('a'), checkedAt: 1 });
    using other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const startedAt = performance.now();
    const busy = { name: 'IndexError', code: 'SQLITE_BUSY' };
    await expect(index.putTag(DEBIAN, LATEST, { digest: digest('b'), checkedAt: 2 })).rejects.toMatchObject(
      busy,
    );
    await expect(index.touch(new Map([[digest('a'), 2]]))).rejects.toMatchObject(busy);
    await expect(index.deleteBelonging(DEBIAN, digest('a'))).rejects.toMatchObject(busy);
    // SQLite's own waits would be two seconds each.
    expect(performance.now() - startedAt).toBeLessThan(2000);
    expect(await index.tag(DEBIAN, LATEST)).toMatchObject({ digest: digest('a') });
    other.exec('ROLLBACK');
    await index.putTag(DEBIAN, LATEST, { digest: digest('b'), checkedAt: 2 });
    await index.close();
  });

  it('waits for another program if configured to', async () => {
    const index = await openSqliteIndex(path, { busyTimeoutMs: 50 });
    using other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const startedAt = performance.now();
    await expect(index.putNote('a', 'b')).rejects.toMatchObject({ code: 'SQLITE_BUSY' });
    expect(performance.now() - startedAt).toBeGreaterThan(40);
    await index.close();
  });

  it('rejects calls after close', async () => {
    const index = await openSqliteIndex(path);
    await index.close();
    await expect(index.stats()).rejects.toThrow(/finalized|not open/u);
  });
});
