import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory, type TemporaryDirectory } from '../../../test/support/e2e/temporary.ts';
import { FullestTurn } from '../../../test/support/fullest-turn.ts';
import type { Digest } from '../../oci/digest.ts';
import { parseTag } from '../../oci/tag.ts';
import type { ContentIndex } from '../content-index.ts';
import type { Edge } from '../../oci/manifest.ts';
import { ALPINE, DEBIAN, digest, edge, manifest } from '../content.contract.ts';
import { openSqliteIndex } from './sqlite-index.ts';
import { WriteTurns } from './write-turns.ts';

describe('turns', () => {
  it('begin work at once as long as there is room', async () => {
    const turns = new WriteTurns();
    const done: string[] = [];
    turns.count(199);
    void turns.take(() => done.push('a'));
    expect(done).toEqual(['a']);
    turns.count(1);
    void turns.take(() => done.push('b'));
    expect(done).toEqual(['a']);
    await nextTurn();
    expect(done).toEqual(['a', 'b']);
  });

  it('keep the order of waiting calls, and of calls that come while others wait', async () => {
    const turns = new WriteTurns();
    const done: number[] = [];
    turns.count(200);
    const all = [1, 2, 3, 4, 5].map((number) =>
      turns.take(() => {
        done.push(number);
        turns.count(150);
        if (number === 1) void turns.take(() => done.push(6));
      }),
    );
    await nextTurn();
    expect(done).toEqual([1, 2]);
    await nextTurn();
    expect(done).toEqual([1, 2, 3, 4]);
    await Promise.all(all);
    await nextTurn();
    expect(done).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('resolve as the work does, and reject as it fails', async () => {
    const turns = new WriteTurns();
    turns.count(200);
    const [given, thrown, rejected] = [
      turns.take(() => 'value'),
      turns.take(() => {
        throw new Error('thrown');
      }),
      turns.take(() => Promise.reject(new Error('rejected'))),
    ];
    await expect(given).resolves.toBe('value');
    await expect(thrown).rejects.toThrow('thrown');
    await expect(rejected).rejects.toThrow('rejected');
  });
});

describe('an index of huge manifests', () => {
  /** A turn that is not full yet may begin one more piece: 128 rows read, or 50 edges with all that goes with them. */
  const MOST = 200 + 5 * 50;
  let directory: TemporaryDirectory;
  let path: string;
  let turn: FullestTurn;
  let index: ContentIndex;
  beforeEach(async () => {
    directory = await temporaryDirectory('turns');
    path = join(directory.path, 'index.db');
    turn = new FullestTurn();
    index = await openSqliteIndex(path, { onRows: turn.count });
  });
  afterEach(async () => {
    await index.close();
    await directory[Symbol.asyncDispose]();
  });

  function layersOf(name: string, count = 4000): Edge[] {
    return Array.from({ length: count }, (_, number) => edge('layer', `${name} ${number}`));
  }

  async function putHuge(name: string): Promise<void> {
    await index.putManifest(DEBIAN, manifest(name), layersOf(name), { stored: { usedAt: 1 } });
  }

  /** Returns what another program sees in the file. */
  function look(sql: string): unknown {
    using database = new DatabaseSync(path, { readOnly: true, returnArrays: true });
    return database.prepare(sql).all();
  }

  it('records a huge manifest a few rows a turn, and shows nothing of it before it is whole', async () => {
    const writing = putHuge('m');
    let seen: readonly Edge[] = [];
    while (seen.length === 0) {
      seen = await index.edges(digest('m'));
      expect([0, 4000]).toContain(seen.length);
      await nextTurn();
    }
    expect(await index.manifest(digest('m'))).toEqual(manifest('m'));
    await writing;
    expect(seen).toEqual(layersOf('m'));
    expect(await index.standing(DEBIAN, digest('m 3999'))).toMatchObject({ source: 'claimed' });
    expect(await index.blob(digest('m'))).toMatchObject({ tier: 1 });
    expect(turn.most).toBeLessThan(MOST);
  });

  it('writes no edges if the same manifest is recorded for another repository', async () => {
    await putHuge('m');
    const changes = look('SELECT count(*) FROM edges');
    await index.putManifest(ALPINE, manifest('m'), layersOf('m'));
    expect(look('SELECT count(*) FROM edges')).toEqual(changes);
    expect(await index.edges(digest('m'))).toEqual(layersOf('m'));
    expect(await index.standing(ALPINE, digest('m 3999'))).toMatchObject({ source: 'claimed' });
  });

  it('records the uses of many, and of all that they refer to', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const name of names) await putHuge(name);
    for (const name of names) await index.putBlob({ digest: digest(`${name} 3000`), size: 1 }, 1);
    await index.touch(new Map(names.map((name): [Digest, number] => [digest(name), 7])));
    for (const name of names) expect(await index.blob(digest(`${name} 3000`))).toMatchObject({ usedAt: 7 });
    expect(turn.most).toBeLessThan(MOST);
  });

  it('records uses of ten thousand blobs', async () => {
    const digests = Array.from({ length: 10_000 }, (_, number) => digest(`blob ${number}`));
    await index.putBlob({ digest: digest('blob 9999'), size: 1 }, 1);
    await index.touch(new Map(digests.map((each) => [each, 7])));
    expect(await index.blob(digest('blob 9999'))).toMatchObject({ usedAt: 7 });
    expect(turn.most).toBeLessThan(MOST);
  });

  it('walks a closure, and reads edges, a few rows a turn', async () => {
    await index.putManifest(DEBIAN, manifest('i'), [edge('manifest', 'x'), edge('manifest', 'm')]);
    await putHuge('m');
    const closure = await index.closure(digest('i'));
    expect(closure).toHaveLength(4000);
    expect(closure.slice(0, 4)).toEqual(['i', 'x', 'm', 'm 0'].map(digest));
    await index.pin({ kind: 'digest', digest: digest('i') }, 9);
    expect(turn.most).toBeLessThan(MOST);
  });

  it('lets other work in during a loop over small calls', async () => {
    await index.putManifest(DEBIAN, manifest('m'), layersOf('m', 100));
    for (let i = 0; i < 200; i += 1) await index.closure(digest('m'));
    for (let i = 0; i < 2000; i += 1) await index.belongs(DEBIAN, digest('m'));
    expect(turn.most).toBeLessThan(MOST);
  });

  it('removes a huge manifest a few rows a turn, and shows nothing of it from the first turn on', async () => {
    await putHuge('m');
    const removing = index.deleteBlob(digest('m'));
    expect(await index.edges(digest('m'))).toEqual([]);
    expect(await index.closure(digest('m'))).toEqual([digest('m')]);
    await removing;
    expect(look('SELECT count(*) FROM edges')).toEqual([[0]]);
    expect(look('SELECT count(*) FROM unfinished')).toEqual([[0]]);
    expect(turn.most).toBeLessThan(MOST);
  });

  it('has a huge manifest whole that is removed and recorded at the same time', async () => {
    await putHuge('m');
    await Promise.all([
      index.deleteBlob(digest('m')),
      putHuge('m'),
      index.deleteBlob(digest('m')),
      putHuge('m'),
    ]);
    expect(await index.edges(digest('m'))).toEqual(layersOf('m'));
    await Promise.all([putHuge('n'), index.deleteBlob(digest('n'))]);
    const left = await index.edges(digest('n'));
    expect(left).toEqual((await index.manifest(digest('n'))) === undefined ? [] : layersOf('n'));
  });

  it('keeps a huge manifest whole that is pulled again while it is being forgotten', async () => {
    for (const name of ['m', 'n']) {
      await putHuge(name);
      await index.loseBlob(digest(name));
      await index.deleteBelonging(DEBIAN, digest(name));
    }
    const walk = { of: 'manifests', after: undefined, limit: 10, now: 1, goneBefore: 0 } as const;
    await Promise.all([index.forgetGone(walk), putHuge('m'), putHuge('n')]);
    for (const name of ['m', 'n']) expect(await index.edges(digest(name))).toHaveLength(4000);
    expect(look('SELECT count(*) FROM unfinished')).toEqual([[0]]);
    expect(turn.most).toBeLessThan(MOST);
  });

  it('adopts a huge manifest a few rows a turn', async () => {
    const adopted = { entry: manifest('m'), edges: layersOf('m') };
    expect(await index.adopt({ digest: digest('m'), size: 5 }, 3, adopted)).toBe(true);
    expect(await index.edges(digest('m'))).toEqual(layersOf('m'));
    expect(await index.adopt({ digest: digest('m'), size: 5 }, 3, adopted)).toBe(false);
    expect(turn.most).toBeLessThan(MOST);
  });

  it('removes at its next start what a crash has left of a huge manifest', async () => {
    await putHuge('whole');
    const writing = putHuge('m').catch(() => {});
    while (Number(look('SELECT count(*) FROM edges')) <= 4000) await nextTurn();
    await index.close();
    await writing;
    index = await openSqliteIndex(path, { onRows: turn.count });
    expect(look('SELECT count(*) FROM edges')).toEqual([[4000]]);
    expect(look('SELECT count(*) FROM unfinished')).toEqual([[0]]);
    expect(await index.edges(digest('whole'))).toHaveLength(4000);
    expect(turn.most).toBeLessThan(MOST);
  });

  it('counts and forgets a large repository a few rows a turn', async () => {
    await putHuge('m');
    const tags = Array.from({ length: 3000 }, (_, number) => parseTag(`tag-${number}`));
    for (const tag of tags) {
      await index.putTag(DEBIAN, tag, { digest: digest('o'), checkedAt: 1 });
      await index.putTag(DEBIAN, tag, { digest: digest('m'), checkedAt: 2 });
    }
    await index.putBlob({ digest: digest('m 3999'), size: 20 }, 5);
    expect(await index.repositoryStats(DEBIAN)).toEqual({ tags: 3000, blobs: 2, bytes: 520, usedAt: 5 });
    expect(await index.tagsOf(DEBIAN, digest('m'), 1)).toEqual(['tag-0']);
    expect(await index.deleteTags(DEBIAN)).toBe(3000);
    expect(look('SELECT (SELECT count(*) FROM tags), (SELECT count(*) FROM tag_history)')).toEqual([[0, 0]]);
    expect(turn.most).toBeLessThan(MOST);
  });

  it('lists many referrers a few at a time', async () => {
    for (let i = 0; i < 500; i += 1) {
      await index.putManifest(DEBIAN, manifest(`r ${i}`, { subject: digest('s') }), []);
    }
    expect(await index.referrers(DEBIAN, digest('s'))).toHaveLength(500);
    expect(turn.most).toBeLessThan(MOST);
  });
});
