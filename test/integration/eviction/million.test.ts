import { setImmediate as nextTurn } from 'node:timers/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import type { ContentIndex } from '../../../src/index/content-index.ts';
import type { StoredUse } from '../../../src/index/blob-index.ts';
import { openSqliteIndex } from '../../../src/index/sqlite/sqlite-index.ts';
import { temporaryDirectory } from '../../support/e2e/temporary.ts';
import { EvictionFixture } from '../../support/eviction-fixture.ts';

const ROWS = 1_000_000;
const SIZE = 1_000_000;
const MiB = 1024 ** 2;

/** Puts a million blobs into an index, the first of which was used last at 1, the second at 2, and so on. */
async function fillIndex(path: string): Promise<void> {
  await (await openSqliteIndex(path)).close();
  using database = new DatabaseSync(path);
  database.exec(`
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${ROWS})
    INSERT INTO blobs (digest, size, used_at) SELECT unhex('01' || printf('%064x', n)), ${SIZE}, n FROM numbers;
    UPDATE totals SET entries = ${ROWS}, bytes = ${ROWS * SIZE} WHERE of_table = 'blobs'`);
}

/** An index that keeps the pages that it was asked for. */
function observed(index: ContentIndex): { index: ContentIndex; pages: (readonly StoredUse[])[] } {
  const pages: (readonly StoredUse[])[] = [];
  const wrapped: ContentIndex = {
    ...index,
    async leastUsed(page) {
      const found = await index.leastUsed(page);
      pages.push(found);
      return found;
    },
  };
  return { index: wrapped, pages };
}

/** How often somebody else gets a turn until the signal ends it. */
async function countTurns(signal: AbortSignal): Promise<number> {
  let turns = 0;
  for (; !signal.aborted; turns += 1) await nextTurn();
  return turns;
}

test('of a million blobs an eviction looks at those that go and a page more, and lets others in between', async () => {
  await using directory = await temporaryDirectory('million');
  const path = join(directory.path, 'index.db');
  await fillIndex(path);
  const { index, pages } = observed(await openSqliteIndex(path));
  // One byte above the upper mark: down to the lower one are 1.5 GiB.
  const maxSize = ROWS * SIZE + 512 * MiB - 1;
  const expected = Math.ceil((1536 * MiB) / SIZE);
  await using cache = new EvictionFixture(index, {
    maxSize,
    // There are rows only.
    wrapStore: (store) => ({ ...store, delete: () => Promise.resolve(true) }),
  });
  const others = new AbortController();
  const turns = countTurns(others.signal);
  cache.evictor.start();
  await cache.evictor.idle();
  others.abort();
  const { blobs, bytes } = await index.stats();
  expect([blobs, bytes]).toEqual([ROWS - expected, (ROWS - expected) * SIZE]);
  expect(cache.told('eviction-ended')).toMatchObject([{ blobs: expected, missing: 0 }]);
  expect(Math.max(...pages.map((page) => page.length))).toBeLessThanOrEqual(100);
  expect(pages.flat().length).toBeLessThanOrEqual(expected + 200);
  expect(pages.length).toBeLessThanOrEqual(expected / 100 + 2);
  expect(await turns).toBeGreaterThanOrEqual(expected / 100);
  const [left] = await index.leastUsed({ limit: 1 });
  expect(left?.usedAt).toBe(expected + 1);
});
