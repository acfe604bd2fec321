import { expect, test } from 'vitest';
import { countEntries, filterPages, limitPages, readPages, type EntryPage } from './pages.ts';

const LIST = { upstream: 'r', what: 'the tags of x' };

function paged(pages: Readonly<Record<string, EntryPage<string>>>, asked: string[] = []) {
  return readPages(LIST, async (next = '') => {
    asked.push(next);
    return pages[next] ?? { entries: [], next: undefined };
  });
}

async function all(pages: AsyncIterable<readonly string[]>): Promise<string[]> {
  const entries: string[] = [];
  for await (const page of pages) entries.push(...page);
  return entries;
}

test('a page is asked for only when the one before has been used', async () => {
  const asked: string[] = [];
  const pages = paged({ '': { entries: ['a'], next: '1' }, 1: { entries: ['b'], next: '2' } }, asked);
  await pages.next();
  expect((await pages.next()).value).toEqual(['b']);
  expect(asked).toEqual(['', '1']);
  await pages.return();
});

test('the last page ends it', async () => {
  const pages = paged({ '': { entries: ['a'], next: '1' }, 1: { entries: ['b'], next: undefined } });
  expect(await all(pages)).toEqual(['a', 'b']);
});

test('pages that lead round are an error', async () => {
  const round = paged({ '': { entries: ['a'], next: '1' }, 1: { entries: ['b'], next: '1' } });
  await expect(all(round)).rejects.toThrow('the pages of the tags of x lead round in a circle');
});

test.each([
  [undefined, ['a', 'b', 'c'], 2],
  [3, ['a', 'b', 'c'], 2],
  [2, ['a', 'b'], 1],
  [1, ['a'], 1],
])('with the limit %s come %j, of %i pages', async (limit, entries, pages) => {
  const asked: string[] = [];
  const list = { '': { entries: ['a', 'b'], next: '1' }, 1: { entries: ['c'], next: undefined } };
  expect(await all(limitPages(paged(list, asked), limit))).toEqual(entries);
  expect(asked).toHaveLength(pages);
});

test('entries that are not wanted are left out', async () => {
  const list = paged({ '': { entries: ['a', 'b'], next: undefined } });
  expect(await all(filterPages(list, (entry) => entry > 'a'))).toEqual(['b']);
});

test('all pages are counted', async () => {
  const list = { '': { entries: ['a', 'b'], next: '1' }, 1: { entries: ['c'], next: undefined } };
  expect(await countEntries(paged(list))).toBe(3);
});
