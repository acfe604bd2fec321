import { mkdir, open, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory, type TemporaryDirectory } from '../../../test/support/e2e/temporary.ts';
import { canMount, temporaryFileSystem } from '../../../test/support/temporary-file-system.ts';
import type { Edge } from '../../oci/manifest.ts';
import { DEBIAN, digest, edge, LATEST, manifest } from '../content.contract.ts';
import { IndexDamagedError, IndexError, IndexVersionError } from '../error.ts';
import { MIGRATIONS } from './schema.ts';
import { openSqliteIndex } from './sqlite-index.ts';

describe('an index file that is not usable', () => {
  let directory: TemporaryDirectory;
  let path: string;

  beforeEach(async () => {
    directory = await temporaryDirectory('index');
    path = join(directory.path, 'index.db');
  });

  afterEach(async () => {
    await directory[Symbol.asyncDispose]();
  });

  async function openError(): Promise<unknown> {
    return openSqliteIndex(path).then(
      () => expect.fail('should not have opened'),
      (error: unknown) => error,
    );
  }

  async function createFilled(): Promise<void> {
    const index = await openSqliteIndex(path);
    await index.putManifest(DEBIAN, manifest('m'), edgesOf(3000));
    await index.close();
  }

  function change(sql: string): void {
    using database = new DatabaseSync(path);
    database.exec(sql);
  }

  /** The number of a table's first page, and the bytes in a page. */
  function rootOf(table: string): { page: number; size: number } {
    using database = new DatabaseSync(path);
    const row = database.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(table);
    const size = database.prepare('PRAGMA page_size').get();
    return { page: Number(row?.['rootpage']), size: Number(size?.['page_size']) };
  }

  it('is damaged if it is no database', async () => {
    await writeFile(path, 'this is not a database, but it is long enough to look like one'.repeat(100));
    const error = await openError();
    expect(error).toBeInstanceOf(IndexDamagedError);
    expect(error).toBeInstanceOf(IndexError);
    expect(error).toMatchObject({ name: 'IndexDamagedError', code: 'SQLITE_NOTADB' });
    expect((error as Error).message).toContain(path);
  });

  it('is damaged if it is another program’s database', async () => {
    change('CREATE TABLE recipes (name TEXT)');
    expect(await openError()).toBeInstanceOf(IndexDamagedError);
  });

  it.each([
    ['a table is missing', 'DROP TABLE belongings'],
    ['a column is missing', 'ALTER TABLE tags RENAME COLUMN checked_at TO looked_at'],
    ['the version is missing', 'DELETE FROM schema_version'],
  ])('is damaged if %s', async (_case, sql) => {
    await createFilled();
    change(sql);
    expect(await openError()).toBeInstanceOf(IndexDamagedError);
  });

  it.each([0.9, 0.5, 0.1])('is damaged where only %d of it is left', async (part) => {
    await createFilled();
    await truncate(path, Math.floor((await stat(path)).size * part));
    expect(await openError()).toBeInstanceOf(IndexDamagedError);
  });

  it('is damaged if pages were overwritten, as soon as they are read', async () => {
    await createFilled();
    const { page, size } = rootOf('edges');
    await using handle = await open(path, 'r+');
    await handle.write(Buffer.alloc(size, 0xa5), 0, size, (page - 1) * size);
    const index = await openSqliteIndex(path);
    await expect(index.edges(digest('m'))).rejects.toBeInstanceOf(IndexDamagedError);
    await index.close();
  });

  it.each([
    ['a digest', "UPDATE edges SET digest = x'0102'"],
    ['a descriptor', "UPDATE manifests SET descriptor = '{'"],
  ])('is damaged if %s cannot be read', async (_case, sql) => {
    await createFilled();
    change(sql);
    const index = await openSqliteIndex(path);
    const reads = [index.edges(digest('m')), index.manifest(digest('m'))];
    const errors = (await Promise.allSettled(reads)).flatMap((read) =>
      read.status === 'rejected' ? [read.reason as unknown] : [],
    );
    expect(errors).toEqual([expect.any(IndexDamagedError)]);
    await index.close();
  });

  it('starts anew if the file is empty', async () => {
    await writeFile(path, '');
    const index = await openSqliteIndex(path);
    expect(await index.tags(DEBIAN, { limit: 1 })).toEqual([]);
    await index.close();
  });

  it('is refused, and left as it is, if a newer Larder has written it', async () => {
    await createFilled();
    change('UPDATE schema_version SET version = 4711');
    const before = await readFile(path);
    const error = await openError();
    expect(error).toBeInstanceOf(IndexVersionError);
    expect(error).not.toBeInstanceOf(IndexDamagedError);
    expect(error).toMatchObject({ found: 4711, known: MIGRATIONS.length });
    expect((error as Error).message).toContain('run the newer Larder');
    expect((await readFile(path)).equals(before)).toBe(true);
  });

  it('is not damaged if it cannot be opened', async () => {
    await mkdir(path);
    const error = await openError();
    expect(error).toBeInstanceOf(IndexError);
    expect(error).not.toBeInstanceOf(IndexDamagedError);
    expect(error).toMatchObject({ code: 'SQLITE_CANTOPEN' });
  });
});

const mountable = (await canMount()) ? ['a full disk'] : [];

it.each(mountable)('%s fails a write, not what is there', async () => {
  await using directory = await temporaryFileSystem('size=512k');
  const index = await openSqliteIndex(join(directory.path, 'index.db'));
  await index.putTag(DEBIAN, LATEST, { digest: digest('a'), checkedAt: 1 });
  const edges = edgesOf(100).map((each) => ({ ...each, mediaType: 'x'.repeat(10_000) }));
  const error = await index.putManifest(DEBIAN, manifest('m'), edges).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(IndexError);
  expect(error).not.toBeInstanceOf(IndexDamagedError);
  expect(error).toMatchObject({ code: 'SQLITE_FULL' });
  expect(await index.tag(DEBIAN, LATEST)).toEqual({ digest: digest('a'), checkedAt: 1 });
  expect(await index.manifest(digest('m'))).toBeUndefined();
  await index.putTag(DEBIAN, LATEST, { digest: digest('b'), checkedAt: 2 });
  expect(await index.tagHistory(DEBIAN, LATEST)).toHaveLength(2);
  await index.close();
});

it.each(mountable)('%s fails a manifest that is written in pieces, and shows no piece of it', async () => {
  await using directory = await temporaryFileSystem('size=512k');
  const index = await openSqliteIndex(join(directory.path, 'index.db'));
  await index.putTag(DEBIAN, LATEST, { digest: digest('a'), checkedAt: 1 });
  await expect(index.putManifest(DEBIAN, manifest('m'), edgesOf(5000))).rejects.toMatchObject({
    name: 'IndexError',
    code: 'SQLITE_FULL',
  });
  expect(await index.tag(DEBIAN, LATEST)).toEqual({ digest: digest('a'), checkedAt: 1 });
  expect(await index.manifest(digest('m'))).toBeUndefined();
  expect(await index.edges(digest('m'))).toEqual([]);
  expect(await index.closure(digest('m'))).toEqual([digest('m')]);
  await index.close();
});

function edgesOf(count: number): Edge[] {
  return Array.from({ length: count }, (_, number) => edge('layer', `layer ${number}`));
}
