import { expect, test } from 'vitest';
import { paired } from './paired.ts';

test('no contestant is always the first of a round, and each keeps its samples in the order of the rounds', async () => {
  const order: string[] = [];
  const contestants = ['now', 'then'].map((name) => ({ name, url: '', pid: 0 }));
  const samples = await paired(contestants, 3, async ({ name }, round) => {
    order.push(`${name} ${round}`);
    return { round };
  });
  expect(order).toEqual(['now 0', 'then 0', 'then 1', 'now 1', 'now 2', 'then 2']);
  expect(samples).toEqual({ round: { now: [0, 1, 2], then: [0, 1, 2] } });
});
