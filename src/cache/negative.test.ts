import { expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { UpstreamError } from '../upstream/error.ts';
import { NegativeCache } from './negative.ts';

const ERROR = new UpstreamError('registry.test', 'absent', 'not-found', 'no such blob', { status: 404 });

test('a refusal is remembered for its time, and no longer', () => {
  const clock = new ManualClock();
  const negative = new NegativeCache(clock, 30_000);
  negative.put('a', ERROR);
  clock.advance(29_999);
  expect(ERROR.wasAsked).toBe(true);
  expect(negative.get('a')).toMatchObject({
    upstream: 'registry.test',
    failure: 'absent',
    reason: 'not-found',
    message: 'registry.test: no such blob',
    status: 404,
    wasAsked: false,
  });
  clock.advance(1);
  expect(negative.get('a')).toBeUndefined();
});

test('setting the machine clock does not prolong it', () => {
  const clock = new ManualClock();
  const negative = new NegativeCache(clock, 30_000);
  negative.put('a', ERROR);
  clock.jump(-86_400_000);
  clock.advance(30_000);
  expect(negative.get('a')).toBeUndefined();
});

test('it is bounded: the oldest goes first', () => {
  const negative = new NegativeCache(new ManualClock(), 30_000, 2);
  for (const key of ['a', 'b', 'c']) negative.put(key, ERROR);
  expect(['a', 'b', 'c'].map((key) => negative.get(key) !== undefined)).toEqual([false, true, true]);
});

test('a time of zero turns it off', () => {
  const negative = new NegativeCache(new ManualClock(), 0);
  negative.put('a', ERROR);
  expect(negative.get('a')).toBeUndefined();
});
