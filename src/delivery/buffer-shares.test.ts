import { expect, test } from 'vitest';
import { BufferShares, shareOf } from './buffer-shares.ts';

const KiB = 1024;

test.each([
  [1, 1024],
  [8, 1024],
  [9, 896],
  [32, 256],
  [100, 64],
  [128, 64],
  [10_000, 64],
])('of %i bodies each has buffers of %i KiB', (bodies, share) => {
  expect(shareOf(bodies)).toBe(share * KiB);
});

test('a share grows again when other bodies have been sent', () => {
  const shares = new BufferShares();
  const taken = Array.from({ length: 16 }, () => shares.take());
  expect(taken.map(({ bytes }) => bytes / KiB)).toEqual([
    ...Array.from({ length: 8 }, () => 1024),
    896,
    768,
    704,
    640,
    576,
    576,
    512,
    512,
  ]);
  for (const share of taken.slice(1)) share[Symbol.dispose]();
  expect(shares.take().bytes).toBe(1024 * KiB);
});
