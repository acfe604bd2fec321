import { setImmediate } from 'node:timers';
import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { catalogPage } from './catalog.ts';

/** An index of some repositories, which counts what it is asked for. */
function indexOf(paths: readonly string[]): {
  repositories: (page: { after?: string; limit: number }) => Promise<string[]>;
  rows: () => number;
  /** The number of rows that each turn asks for. */
  limits: number[];
} {
  const sorted = [...paths].toSorted();
  const limits: number[] = [];
  return {
    repositories: vi.fn(({ after = '', limit }) => {
      const page = sorted.filter((path) => path > after).slice(0, limit);
      limits.push(limit);
      return Promise.resolve(page);
    }),
    rows: () => limits.reduce((sum, limit) => sum + limit, 0),
    limits,
  };
}

const isShown = (path: string): boolean => !path.startsWith('r/secret');

/** Reads all pages, as a client that follows the links does. */
async function allPages(paths: readonly string[], limit: number): Promise<string[][]> {
  const index = indexOf(paths);
  const pages: string[][] = [];
  let after: string | undefined;
  do {
    const { entries, hasMore } = await catalogPage(index, { limit, after }, isShown);
    pages.push([...entries]);
    after = hasMore ? entries.at(-1) : undefined;
  } while (after !== undefined);
  return pages;
}

const numbered = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${name}${String(n).padStart(6, '0')}`);

describe('catalogPage', () => {
  test.each<[string, readonly string[], number, readonly (readonly string[])[]]>([
    ['nothing', [], 2, [[]]],
    ['nothing that may be shown', ['r/secret1', 'r/secret2'], 2, [[]]],
    ['a page filled past what may not be shown', ['r/a', 'r/secret1', 'r/z'], 2, [['r/a', 'r/z']]],
    ['no page after the last that may be shown', ['r/a', 'r/b', 'r/secret1'], 2, [['r/a', 'r/b']]],
    ['two pages', ['r/a', 'r/b', 'r/secret1', 'r/z'], 2, [['r/a', 'r/b'], ['r/z']]],
    ['a page of no entries, which is the last', ['r/a'], 0, [[]]],
  ])('%s', async (_, paths, limit, pages) => expect(await allPages(paths, limit)).toEqual(pages));

  test('a page is full, however many that may not be shown lie between its entries', async () => {
    const paths = ['r/a', ...numbered('r/secret', 25_000), 'r/y', 'r/z'];
    const index = indexOf(paths);
    const page = await catalogPage(index, { limit: 2, after: undefined }, isShown);
    expect(page).toEqual({ entries: ['r/a', 'r/y'], hasMore: true });
    expect(Math.max(...index.limits)).toBe(1_000);
  });

  test('nothing follows the last entry, however many that may not be shown do', async () => {
    const index = indexOf(['r/a', ...numbered('r/secret', 2_500)]);
    const page = await catalogPage(index, { limit: 1, after: undefined }, isShown);
    expect(page).toEqual({ entries: ['r/a'], hasMore: false });
  });

  test('reads nothing for a page of no entries', async () => {
    const index = indexOf(numbered('r/secret', 2));
    const page = await catalogPage(index, { limit: 0, after: undefined }, isShown);
    expect([page, index.rows()]).toEqual([{ entries: [], hasMore: false }, 0]);
  });

  test('lets others have their turn between its own', async () => {
    const index = indexOf(numbered('r/secret', 2_500));
    const turns: number[] = [];
    const paging = catalogPage(index, { limit: 2, after: undefined }, isShown);
    const note = (): void => {
      turns.push(index.limits.length);
      if (turns.length < 3) setImmediate(note);
    };
    setImmediate(note);
    await paging;
    expect(turns).toEqual([1, 2, 3]);
  });

  test('the pages together are all that may be shown, in order, and all but the last are full', async () => {
    const path = fc.oneof(fc.stringMatching(/^r\/[a-z]{1,2}$/), fc.stringMatching(/^r\/secret[0-9]{1,2}$/));
    const paths = fc.uniqueArray(path, { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(paths, fc.integer({ min: 1, max: 5 }), async (all, limit) => {
        const pages = await allPages(all, limit);
        expect(pages.flat()).toEqual(all.filter(isShown).toSorted());
        expect(pages.slice(0, -1).every(({ length }) => length === limit)).toBe(true);
      }),
    );
  });
});
