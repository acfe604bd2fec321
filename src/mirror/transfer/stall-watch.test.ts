import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { StallWatch } from './stall-watch.ts';

function start() {
  const clock = new ManualClock();
  clock.advance(100_000);
  const world = { clock, stalls: 0 };
  return { world, clock, watch: new StallWatch(clock, () => (world.stalls += 1)) };
}

test('a wait is too long once it reaches its limit, even if the limit is set later', () => {
  const { world, clock, watch } = start();
  watch.begin();
  clock.advance(2_000);
  watch.limit(5_000);
  clock.advance(2_999);
  expect(world.stalls).toBe(0);
  clock.advance(1);
  expect([world.stalls, clock.pending]).toEqual([1, 0]);
});

test('a wait that is already longer than a new limit is too long at once', () => {
  const { world, clock, watch } = start();
  watch.begin();
  clock.advance(6_000);
  watch.limit(5_000);
  clock.advance(0);
  expect(world.stalls).toBe(1);
});

test('nothing is too long if no byte is waited for, or there is no limit', () => {
  const { world, clock, watch } = start();
  watch.limit(5_000);
  expect(clock.pending).toBe(0);
  watch.begin();
  clock.advance(4_000);
  watch.end();
  clock.advance(4_000);
  watch.begin();
  clock.advance(4_000);
  watch.limit(undefined);
  clock.advance(60_000);
  expect([world.stalls, clock.pending]).toEqual([0, 0]);
});
