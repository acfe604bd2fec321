import { expect, it } from 'vitest';
import { sample } from './sample.ts';

const ITEMS = Array.from({ length: 100 }, (_, i) => i);

it('a sample is the same for the same seed, and another for another', () => {
  expect(sample(ITEMS, 10, 1)).toEqual(sample(ITEMS, 10, 1));
  expect(sample(ITEMS, 10, 1)).not.toEqual(sample(ITEMS, 10, 2));
});

it('a sample has no item twice, and they keep their order', () => {
  const chosen = sample(ITEMS, 10, 1);
  expect(chosen).toEqual([...new Set(chosen)].sort((a, b) => a - b));
  expect(chosen).toHaveLength(10);
});

it('a sample that is larger than the list has all its items', () => {
  expect(sample(ITEMS, 1000, 1)).toEqual(ITEMS);
});
