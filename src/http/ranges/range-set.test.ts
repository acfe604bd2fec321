import { expect, test } from 'vitest';
import { MAX_PARTS, resolveRanges } from './range-set.ts';
import { parseRange, type RangeSpec, type SingleRange } from './range.ts';

const SIZE = 10_000;

function resolved(header: string, size = SIZE): unknown {
  const parts = resolveRanges(parseRange(header) as RangeSpec, size);
  return typeof parts === 'string' ? parts : parts.map(({ start, end }) => [start, end]);
}

test.each<[string, string, unknown]>([
  [
    'ranges apart, in ascending order',
    'bytes=50-59,0-9',
    [
      [0, 10],
      [50, 60],
    ],
  ],
  [
    'ranges that touch stay apart',
    'bytes=0-9,10-19',
    [
      [0, 10],
      [10, 20],
    ],
  ],
  ['ranges that overlap are one', 'bytes=0-15,10-19,5-6', [[0, 20]]],
  [
    'a gap of one byte stays',
    'bytes=0-9,11-19',
    [
      [0, 10],
      [11, 20],
    ],
  ],
  [
    'a suffix in a set',
    'bytes=0-9,-5',
    [
      [0, 10],
      [9995, 10_000],
    ],
  ],
  ['ranges that touch and cover the whole', 'bytes=0-4999,5000-', 'whole'],
  ['ranges that overlap and cover the whole are one part', 'bytes=0-5000,5000-', [[0, 10_000]]],
  ['a suffix larger than the body', 'bytes=-20000,0-1', [[0, 10_000]]],
  [
    'ranges without a byte are left out',
    'bytes=0-9,10000-,-0,7-3,50-59',
    [
      [0, 10],
      [50, 60],
    ],
  ],
  ['one range with bytes', 'bytes=10000-,5-6', [[5, 7]]],
  ['no range with bytes', 'bytes=10000-,-0,20000-30000', 'unsatisfiable'],
  ['parts that with their heads are more than the whole', 'bytes=0-4999,5001-9999', 'whole'],
  ['one range', 'bytes=5-6', [[5, 7]]],
])('%s', (_, header, expected) => {
  expect(resolved(header)).toEqual(expected);
});

test('any range of an empty body is the whole', () => {
  expect(resolved('bytes=0-,5-6', 0)).toBe('whole');
});

test('at most MAX_PARTS parts are sent', () => {
  const set = (count: number): RangeSpec => ({
    kind: 'several',
    ranges: Array.from({ length: count }, (_, at): SingleRange => ({
      kind: 'slice',
      start: 2 * at,
      end: 2 * at + 1,
    })),
  });
  expect(resolveRanges(set(MAX_PARTS), 2 ** 30)).toHaveLength(MAX_PARTS);
  expect(resolveRanges(set(MAX_PARTS + 1), 2 ** 30)).toBe('whole');
});
