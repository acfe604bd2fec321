import { Random } from '../test/support/random.ts';

/** Picks at most `count` of the items at random, the same for the same seed, and keeps their order. */
export function sample<T>(items: readonly T[], count: number, seed: number): T[] {
  const random = new Random(seed);
  return items
    .map((item, i) => ({ item, i, rank: random.next() }))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, count)
    .sort((a, b) => a.i - b.i)
    .map(({ item }) => item);
}
