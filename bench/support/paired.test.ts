import { expect, test } from 'vitest';
import { paired } from './paired.ts';

test('no contestant is always the first of a round, and each keeps its samples in the order of the rounds', async () => {
  const order: string[] = [];
  const contestants = ['later', 'earlier'].map((name) => ({ name, url: '', pid: 0 }));
  const samples = await paired(contestants, 3, async ({ name }, round) => {
    order.push(`${name} ${round}`);
    return { round };
  });
  expect(order).toEqual(['later 0', 'earlier 0', 'earlier 1', 'later 1', 'later 2', 'earlier 2']);
  expect(samples).toEqual({ round: { later: [0, 1, 2], earlier: [0, 1, 2] } });
});
