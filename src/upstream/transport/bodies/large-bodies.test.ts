import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { LargeBodies } from './large-bodies.ts';

test('four are held, and waiting ones get released places in order', async () => {
  const large = new LargeBodies();
  const held: number[] = [];
  const places = [1, 2, 3, 4, 5, 6].map(async (number) => {
    const place = await large.hold();
    held.push(number);
    return place;
  });
  await nextTurn();
  expect([held, large.held]).toEqual([[1, 2, 3, 4], 4]);
  const [first, second] = await Promise.all(places.slice(0, 2));
  second?.[Symbol.dispose]();
  second?.[Symbol.dispose]();
  await nextTurn();
  expect([held, large.held]).toEqual([[1, 2, 3, 4, 5], 4]);
  first?.[Symbol.dispose]();
  for (const place of await Promise.all(places)) place[Symbol.dispose]();
  expect([held, large.held]).toEqual([[1, 2, 3, 4, 5, 6], 0]);
});
