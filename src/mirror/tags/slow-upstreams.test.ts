import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { SlowUpstreams } from './slow-upstreams.ts';

function start() {
  const clock = new ManualClock();
  clock.advance(1_000_000);
  return { clock, slow: new SlowUpstreams(clock) };
}

test('an upstream is slow for a minute after it was waited for in vain, and no other one is', () => {
  const { clock, slow } = start();
  expect(slow.isSlow('registry.test')).toBe(false);
  slow.hasTimedOut('registry.test');
  clock.advance(59_999);
  expect([slow.isSlow('registry.test'), slow.isSlow('other.test')]).toEqual([true, false]);
  clock.advance(1);
  expect(slow.isSlow('registry.test')).toBe(false);
});

test('an upstream is slow for another minute if that happens again, and is no longer once it has answered', () => {
  const { clock, slow } = start();
  for (let times = 0; times < 2; times += 1) {
    slow.hasTimedOut('registry.test');
    clock.advance(40_000);
  }
  expect(slow.isSlow('registry.test')).toBe(true);
  slow.hasAnswered('registry.test');
  expect(slow.isSlow('registry.test')).toBe(false);
});
