import { expect, test } from 'vitest';
import { shareThreads, threadsFor, threadsOf } from './threads.ts';

test.each([
  [1, 8],
  [2, 8],
  [4, 8],
  [6, 12],
  [64, 32],
])('a machine of %i cores has %i threads', (cores, threads) => {
  expect(threadsFor(cores)).toBe(threads);
});

test.each([
  [undefined, 4],
  ['12', 12],
  ['0', 1],
  ['many', 1],
  ['-3', 1],
])('UV_THREADPOOL_SIZE %s is %i threads', (size, threads) => {
  expect(threadsOf(size)).toBe(threads);
});

test.each(Array.from({ length: 61 }, (_, i) => i + 4))(
  'of %i threads a third is left for all else',
  (threads) => {
    const { sendfiles, syncs } = shareThreads(threads);
    expect(threads - sendfiles - syncs).toBeGreaterThanOrEqual(Math.ceil(threads / 3));
    expect(Math.min(sendfiles, syncs)).toBeGreaterThanOrEqual(1);
  },
);

test('eight are shared out as three, two and three', () => {
  expect(shareThreads(8)).toEqual({ sendfiles: 3, syncs: 2 });
});
