import { expect, test } from 'vitest';
import { graceMs, isWorthFinishing } from './worth-finishing.ts';

const MiB = 1024 * 1024;

test.each([
  ['a small blob is finished, even if nothing of it is here', { offset: 0, size: 10 * MiB }, true],
  ['a blob with little left is finished', { offset: 936 * MiB, size: 1000 * MiB }, true],
  ['a blob with 64 MiB left is finished', { offset: 1, size: 64 * MiB + 1 }, true],
  ['a blob with a byte more left is not', { offset: 1, size: 64 * MiB + 2 }, false],
  [
    'a blob with less than 64 MiB left is finished before a quarter is here',
    { offset: 10 * MiB, size: 70 * MiB },
    true,
  ],
  ['a blob of which a quarter is here is finished', { offset: 250 * MiB, size: 1000 * MiB }, true],
  ['a large blob of which less is here is not', { offset: 249 * MiB, size: 1000 * MiB }, false],
  ['a blob of unknown size is not', { offset: 5 * MiB, size: undefined }, false],
])('%s', (_, progress, expected) => {
  expect(isWorthFinishing(progress)).toBe(expected);
});

test('a client that reads in parts is waited for longer', () => {
  expect([graceMs(false), graceMs(true)]).toEqual([10_000, 60_000]);
});
