import { expect, test } from 'vitest';
import { BufferShares, shareOf } from './buffer-shares.ts';

const KiB = 1024;

test.each([
  [1, 512],
  [16, 512],
  [17, 448],
  [32, 256],
  [100, 64],
  [128, 64],
  [10_000, 64],
])('with %i bodies, the last one gets buffers of %i KiB', (bodies, share) => {
  expect(shareOf(bodies)).toBe(share * KiB);
});

test('a share grows again when other bodies have been sent', () => {
  const shares = new BufferShares();
  const taken = Array.from({ length: 20 }, () => shares.take());
  expect(taken.map(({ bytes }) => bytes / KiB)).toEqual([
    ...Array.from({ length: 16 }, () => 512),
    448,
    448,
    384,
    384,
  ]);
  for (const share of taken.slice(1)) share[Symbol.dispose]();
  expect(shares.take().bytes).toBe(512 * KiB);
});
