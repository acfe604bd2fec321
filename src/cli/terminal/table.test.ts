import { describe, expect, it } from 'vitest';
import { shortSize } from './short-size.ts';
import { formatTable, formatTime, isoTime } from './table.ts';

describe('a table', () => {
  it('has columns as wide as their cells, and numbers to the right', () => {
    const rows = [
      ['debian', 7, 'yes'],
      ['a', 12345, ''],
    ];
    expect(formatTable(['NAME', 'TAGS', 'PINNED'], rows)).toBe(
      ['NAME     TAGS  PINNED', 'debian      7  yes', 'a       12345'].join('\n'),
    );
  });

  it('may be empty', () => {
    expect(formatTable(['NAME', 'TAGS'], [])).toBe('NAME  TAGS');
  });
});

it('times are formatted to the minute, or exactly', () => {
  const ms = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
  expect([formatTime(isoTime(ms)), formatTime(null)]).toEqual(['2026-01-02 03:04Z', '-']);
  expect([isoTime(ms), isoTime(undefined)]).toEqual(['2026-01-02T03:04:05.006Z', null]);
});

it.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.00 KiB'],
  [1536, '1.50 KiB'],
  [200_000, '195 KiB'],
  [1023 * 1024, '1023 KiB'],
  [50 * 1024 ** 3, '50.0 GiB'],
  [5000 * 1024 ** 4, '5000 TiB'],
])('%i bytes are %s at a glance', (bytes, expected) => {
  expect(shortSize(bytes)).toBe(expected);
});
