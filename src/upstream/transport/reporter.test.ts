import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { createEvents, type LarderEvent } from '../../events.ts';
import { Reporter } from './reporter.ts';

const HOUR = 3_600_000;
const TOLD = { limit: 100, remaining: 0, windowMs: 6 * HOUR };

test('a pull limit that was told is known until its window has passed', () => {
  const clock = new ManualClock();
  const reporter = new Reporter('docker.io', { clock, events: createEvents() });
  expect(reporter.lastRateLimit).toBeUndefined();
  reporter.rateLimit(TOLD);
  clock.advance(6 * HOUR - 1);
  expect(reporter.lastRateLimit).toEqual(TOLD);
  clock.advance(1);
  expect(reporter.lastRateLimit).toBeUndefined();
  reporter.rateLimit({ ...TOLD, remaining: 99 });
  expect(reporter.lastRateLimit?.remaining).toBe(99);
});

test('the event of a pull limit tells its numbers', () => {
  const events = createEvents();
  const told: LarderEvent[] = [];
  events.subscribe((event) => told.push(event));
  new Reporter('docker.io', { clock: new ManualClock(), events }).rateLimit(TOLD);
  expect(told).toEqual([{ kind: 'rate-limit', upstream: 'docker.io', limit: 100, remaining: 0 }]);
});
