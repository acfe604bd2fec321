import { mkdir, open as openFile, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory, type TemporaryDirectory } from '../../../test/support/e2e/temporary.ts';
import { describeContentIndex } from '../content-index.contract.ts';
import type { ContentIndex } from '../content-index.ts';
import { DEBIAN, digest, edge, LATEST, manifest } from '../content.contract.ts';
import { IndexDamagedError, IndexError } from '../error.ts';
import { openRecoveringIndex, type RecoveringIndexOptions } from './recovering-index.ts';
import { setDatabaseAside } from '../sqlite/set-aside.ts';
import { openSqliteIndex } from '../sqlite/sqlite-index.ts';

describeContentIndex('a recovering index', () =>
  openRecoveringIndex({
    open: () => openSqliteIndex(':memory:'),
    setAside: async () => expect.fail('nothing is damaged'),
    onReplaced: () => expect.fail('nothing is damaged'),
  }),
);

describe('a damaged index', () => {
  let directory: TemporaryDirectory;
  let path: string;
  let replaced: [Error, string][];
  let now: number;

  beforeEach(async () => {
    directory = await temporaryDirectory('index');
    path = join(directory.path, 'index.db');
    replaced = [];
    now = Date.UTC(2026, 0, 1);
  });

  afterEach(async () => {
    await directory[Symbol.asyncDispose]();
  });

  function open(options: Partial<RecoveringIndexOptions> = {}): Promise<ContentIndex> {
    return openRecoveringIndex({
      open: () => openSqliteIndex(path),
      setAside: () => setDatabaseAside(path, now),
      onReplaced: (...event) => replaced.push(event),
      ...options,
    });
  }

  async function fill(): Promise<void> {
    const index = await openSqliteIndex(path);
    const edges = Array.from({ length: 3000 }, (_, number) => edge('layer', `layer ${number}`));
    await index.putManifest(DEBIAN, manifest('m'), edges);
    await index.putTag(DEBIAN, LATEST, { digest: digest('m'), checkedAt: 1 });
    await index.close();
  }

  /** Overwrites the first page of the edges, which opening does not read. */
  async function damageEdges(): Promise<void> {
    const page = 4096;
    const handle = await openFile(path, 'r+');
    await handle.write(Buffer.alloc(page, 0xa5), 0, page, (rootOf('edges') - 1) * page);
    await handle.close();
  }

  function rootOf(table: string): number {
    using database = new DatabaseSync(path);
    const row = database.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(table);
    return Number(row?.['rootpage']);
  }

  async function expectUsable(index: ContentIndex): Promise<void> {
    expect(await index.tag(DEBIAN, LATEST)).toBeUndefined();
    await index.putTag(DEBIAN, LATEST, { digest: digest('n'), checkedAt: 2 });
    expect(await index.tag(DEBIAN, LATEST)).toEqual({ digest: digest('n'), checkedAt: 2 });
  }

  it.each([
    ['garbage', () => writeFile(path, 'not a database '.repeat(1000))],
    ['a part', async () => truncate(path, Math.floor((await stat(path)).size / 2))],
  ])('that is %s when it is opened is set aside for an empty one', async (_, damage) => {
    await fill();
    await damage();
    const before = await readFile(path);
    const index = await open();
    const aside = `${path}.damaged-2026-01-01T00-00-00.000Z`;
    expect(replaced).toEqual([[expect.any(IndexDamagedError), aside]]);
    expect((await readFile(aside)).equals(before)).toBe(true);
    await expectUsable(index);
    await index.close();
  });

  it('is set aside when its broken page is read, and the call is made again', async () => {
    await fill();
    await damageEdges();
    const index = await open();
    expect(replaced).toEqual([]);
    const calls = [index.edges(digest('m')), index.edges(digest('m')), index.stats()];
    expect(await Promise.all(calls)).toEqual([[], [], { blobs: 0, bytes: 0 }]);
    expect(replaced).toHaveLength(1);
    await expectUsable(index);
    await index.close();
    const names = await readdir(directory.path);
    expect(names.filter((name) => name.includes('damaged')).toSorted()[0]).toMatch(/^index\.db\.damaged-/);
  });

  it('is found damaged by one call while others run', async () => {
    await fill();
    await damageEdges();
    const index = await open();
    const uses = new Map(Array.from({ length: 500 }, (_, number) => [digest(`layer ${number}`), 5]));
    const touching = index.touch(uses);
    await index.edges(digest('m'));
    await touching;
    expect(replaced).toHaveLength(1);
    await index.close();
  });

  it('is not lost if it cannot be set aside, and the next call tries again', async () => {
    await fill();
    await damageEdges();
    const refusal = new IndexError('no', 'EACCES');
    let mayMove = false;
    const index = await open({
      setAside: async () => {
        if (!mayMove) throw refusal;
        return setDatabaseAside(path, now);
      },
    });
    await expect(index.edges(digest('m'))).rejects.toBe(refusal);
    await expect(index.stats()).rejects.toBe(refusal);
    mayMove = true;
    await expectUsable(index);
    expect(replaced).toHaveLength(1);
    await index.close();
  });

  it('leaves other errors to the caller', async () => {
    const busy = new IndexError('busy', 'SQLITE_BUSY');
    const broken: ContentIndex = {
      ...(await openSqliteIndex(':memory:')),
      stats: () => Promise.reject(busy),
    };
    const index = await open({ open: async () => broken });
    await expect(index.stats()).rejects.toBe(busy);
    expect(replaced).toEqual([]);
    await index.close();
    await expect(open({ open: () => Promise.reject(busy) })).rejects.toBe(busy);
  });

  it('is set aside again and again without filling the disk', async () => {
    for (const [second, part] of ['', '-wal', '-shm'].entries()) {
      await writeFile(`${path}.damaged-2025-01-01T00-00-0${second}.000Z${part}`, 'old');
    }
    for (const part of ['', '-wal', '-shm']) await writeFile(`${path}${part}`, 'damaged');
    await setDatabaseAside(path, now);
    expect((await readdir(directory.path)).toSorted()).toEqual([
      'index.db.damaged-2025-01-01T00-00-02.000Z-shm',
      'index.db.damaged-2026-01-01T00-00-00.000Z',
      'index.db.damaged-2026-01-01T00-00-00.000Z-shm',
      'index.db.damaged-2026-01-01T00-00-00.000Z-wal',
    ]);
  });

  it('that cannot be moved is reported as such', async () => {
    await writeFile(path, 'damaged');
    const target = `${path}.damaged-2026-01-01T00-00-00.000Z`;
    await mkdir(target);
    await expect(setDatabaseAside(path, now)).rejects.toMatchObject({
      name: 'IndexError',
      code: 'EISDIR',
      message: expect.stringContaining(path),
    });
  });
});
