import { expect, test } from 'vitest';
import { graceMs, isWorthFinishing } from './worth-finishing.ts';

const MiB = 1024 * 1024;

test.each([
  ['a small blob is finished, however little of it is here', { offset: 0, size: 10 * MiB }, true],
  ['so is one with little left', { offset: 936 * MiB, size: 1000 * MiB }, true],
  ['with just as much left it is', { offset: 1, size: 64 * MiB + 1 }, true],
  ['with a byte more it is not', { offset: 1, size: 64 * MiB + 2 }, false],
  ['and with less it is, well before it is well under way', { offset: 10 * MiB, size: 70 * MiB }, true],
  ['and one well under way', { offset: 250 * MiB, size: 1000 * MiB }, true],
  ['a large blob that has just begun is not', { offset: 249 * MiB, size: 1000 * MiB }, false],
  ['nor is one of unknown size', { offset: 5 * MiB, size: undefined }, false],
])('%s', (_, progress, expected) => {
  expect(isWorthFinishing(progress)).toBe(expected);
});

test('a client that reads in parts is waited for longer', () => {
  expect([graceMs(false), graceMs(true)]).toEqual([10_000, 60_000]);
});
