import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { UpstreamError } from '../error.ts';
import { Refusals } from './refusals.ts';

const REFUSAL = new UpstreamError('docker.io', 'denied', 'account-refused', 'no', { status: 401 });

test.each([
  [29_999, true],
  [30_000, false],
])('after %i ms a refusal is still kept: %s', (ms, isTold) => {
  const clock = new ManualClock();
  const refusals = new Refusals(clock);
  refusals.put('account', REFUSAL);
  clock.advance(ms);
  expect(refusals.get('account') !== undefined).toBe(isTold);
});

test('a kept refusal says that upstream was not asked, and counts for its own account only', () => {
  const refusals = new Refusals(new ManualClock());
  refusals.put('account', REFUSAL);
  const { upstream, failure, reason, said, status } = REFUSAL;
  const told = { upstream, failure, reason, said, status, wasAsked: false, cause: REFUSAL };
  expect(refusals.get('account')).toMatchObject(told);
  expect(refusals.get('other')).toBeUndefined();
});
