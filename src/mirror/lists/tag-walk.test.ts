import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { StubUpstream } from '../../../test/support/stub-upstream.ts';
import { parseRepositoryName } from '../../oci/repository-name.ts';
import { packTags, unpackTags } from '../../oci/tag-names.ts';
import { inlineParser, type Parser } from '../../upstream/registry/parsing/parser.ts';
import type { TagsPage, Upstream } from '../../upstream/upstream.ts';
import type { Target } from '../target.ts';
import { readAllTags } from './tag-walk.ts';

const NAME = parseRepositoryName('acme/app');
const LIMITS = { tags: 10, pages: 10, bytes: 1000, ms: 60_000 };
const TAGS = { ttlMs: 0 } as unknown as Target['tags'];

/** Returns a repository whose pages are what `page` gives for the cursors `0`, `1`, …, and counts the requests. */
function repository(page: (number: number) => TagsPage | Promise<TagsPage>): {
  target: Target;
  asked: () => number;
  signals: AbortSignal[];
} {
  let asked = 0;
  const signals: AbortSignal[] = [];
  const tags: Upstream['tags'] = async (_name, { next = '0', signal } = {}) => {
    asked += 1;
    if (signal !== undefined) signals.push(signal);
    return page(Number(next));
  };
  const upstream = { ...new StubUpstream().upstream, tags };
  const key = { registry: 'registry.test', repository: NAME };
  const permission = { isOpen: false, checksReferences: false };
  return { target: { upstream, key, tags: TAGS, permission }, asked: () => asked, signals };
}

test('all pages make one list, sorted, each tag once, without invalid tags', async () => {
  const pages = [['b', 'a'], [], ['a', '-x', 'c']];
  const { target } = repository((number) => ({
    tags: packTags(pages[number] ?? []),
    next: number < 2 ? String(number + 1) : undefined,
  }));
  const clock = new ManualClock();
  const list = await readAllTags(target, { clock, parser: inlineParser }, LIMITS);
  expect(unpackTags(list)).toEqual(['a', 'b', 'c']);
  expect(clock.pending).toBe(0);
});

test('a cursor that comes again ends the walk', async () => {
  const { target, asked } = repository((number) => ({
    tags: packTags(['a']),
    next: String((number + 1) % 3),
  }));
  await expect(
    readAllTags(target, { clock: new ManualClock(), parser: inlineParser }, LIMITS),
  ).rejects.toMatchObject({
    failure: 'unavailable',
    reason: 'content',
    message: 'registry.test: the pages of the tags of acme/app lead round in a circle',
  });
  expect(asked()).toBe(4);
});

test.each([
  ['pages', (number: number) => ({ tags: packTags([]), next: String(number + 1) }), 11],
  [
    'tags',
    (number: number) => ({ tags: packTags([`${number}a`, `${number}b`]), next: String(number + 1) }),
    6,
  ],
  [
    'bytes of the same tag',
    (number: number) => ({ tags: packTags(['a'.repeat(128)]), next: String(number + 1) }),
    8,
  ],
  [
    'bytes of cursors',
    (number: number) => ({ tags: packTags([]), next: `${'0'.repeat(400)}${number + 1}` }),
    3,
  ],
])('a list beyond its limit of %s is refused', async (_name, page, times) => {
  const { target, asked } = repository(page);
  const walk = readAllTags(target, { clock: new ManualClock(), parser: inlineParser }, LIMITS);
  await expect(walk).rejects.toMatchObject({
    reason: 'content',
    message: 'registry.test: the tag list of acme/app has no end',
  });
  expect(asked()).toBe(times);
});

test.each([
  ['tags', { ...LIMITS, tags: 3 }],
  ['pages', { ...LIMITS, pages: 3 }],
  ['bytes', { ...LIMITS, bytes: 3 * packTags(['0']).bytes.length + '1'.length + '2'.length }],
])('a list of exactly as many %s as its limit is read to its end', async (_name, limits) => {
  const { target } = repository((number) => ({
    tags: packTags([String(number)]),
    next: number < 2 ? String(number + 1) : undefined,
  }));
  const list = await readAllTags(target, { clock: new ManualClock(), parser: inlineParser }, limits);
  expect(unpackTags(list)).toEqual(['0', '1', '2']);
});

test('one deadline holds for all pages together, and ends the request that runs', async () => {
  const clock = new ManualClock();
  const { target, asked, signals } = repository((number) => {
    clock.advance(20_000);
    return number < 3
      ? { tags: packTags(['a']), next: String(number + 1) }
      : Promise.withResolvers<TagsPage>().promise;
  });
  await expect(readAllTags(target, { clock, parser: inlineParser }, LIMITS)).rejects.toMatchObject({
    failure: 'unavailable',
    reason: 'timeout',
    message: 'registry.test: the pages of the tags of acme/app did not end within 60000 ms',
  });
  expect(asked()).toBe(3);
  expect(signals.every(({ aborted }) => aborted)).toBe(true);
});

test.each([
  ['pages', 10_000, 0],
  ['tags', 1, 1_000_000],
])('a list has its greatest number of %s, and not one more', async (_name, pages, count) => {
  const { target } = repository((number) => ({
    tags: { bytes: new Uint8Array(), count: number === pages ? 1 : count },
    next: number < last ? String(number + 1) : undefined,
  }));
  let last = pages - 1;
  const parser: Parser = { run: () => Promise.resolve({ read: packTags([]) } as never) };
  const walk = () => readAllTags(target, { clock: new ManualClock(), parser });
  await expect(walk()).resolves.toBeDefined();
  last += 1;
  await expect(walk()).rejects.toMatchObject({ reason: 'content' });
});

test.each([
  [32 * 1024 * 1024, true],
  [32 * 1024 * 1024 + 1, false],
])('a list has at most 32 MiB: %i bytes', async (size, isRead) => {
  const { target } = repository(() => ({ tags: { bytes: new Uint8Array(size), count: 1 }, next: undefined }));
  const walk = readAllTags(target, { clock: new ManualClock(), parser: inlineParser });
  expect(
    await walk.then(
      () => true,
      () => false,
    ),
  ).toBe(isRead);
});

test.each([
  [1, []],
  [2, [7]],
])('of %i pages: a parser merges several, and gets their size', async (pages, expected) => {
  const sizes: number[] = [];
  const parser: Parser = {
    run(work, size) {
      sizes.push(size);
      return inlineParser.run(work, size);
    },
  };
  const { target } = repository((number) => ({
    tags: packTags([`t${number}`]),
    next: number + 1 < pages ? String(number + 1) : undefined,
  }));
  const list = await readAllTags(target, { clock: new ManualClock(), parser });
  expect([unpackTags(list), sizes]).toEqual([['t0', 't1'].slice(0, pages), expected]);
});
