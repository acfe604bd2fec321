import { Random } from '../test/support/random.ts';

/** As many as `count` of the items, by chance but the same for the same seed, in their order. */
export function sample<T>(items: readonly T[], count: number, seed: number): T[] {
  const random = new Random(seed);
  return items
    .map((item, i) => ({ item, i, rank: random.next() }))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, count)
    .sort((a, b) => a.i - b.i)
    .map(({ item }) => item);
}
