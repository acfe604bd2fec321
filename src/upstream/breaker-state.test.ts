import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  admit,
  afterFailure,
  afterNothing,
  CLOSED,
  type BreakerLimits,
  type BreakerState,
} from './breaker-state.ts';

const LIMITS: BreakerLimits = { failures: 3, openMs: 1_000, maxOpenMs: 4_000, probeMs: 10_000 };

function failing(times: number, now = 0): BreakerState {
  let state = CLOSED;
  for (let i = 0; i < times; i += 1) state = afterFailure(state, now, LIMITS);
  return state;
}

test('it opens after so many failures in a row, and not before', () => {
  expect(failing(2)).toEqual({ kind: 'closed', failures: 2 });
  expect(failing(3)).toEqual({ kind: 'open', until: 1_000, openings: 1 });
});

test('while open nothing goes through; then one probe does, and no second beside it', () => {
  const open = failing(3);
  expect(admit(open, 999, LIMITS).isAdmitted).toBe(false);
  const probe = admit(open, 1_000, LIMITS);
  expect(probe).toEqual({ isAdmitted: true, state: { kind: 'half-open', until: 11_000, openings: 1 } });
  expect(admit(probe.state, 1_001, LIMITS).isAdmitted).toBe(false);
});

test('a probe that is never heard of again does not wedge it', () => {
  const probe = admit(failing(3), 1_000, LIMITS).state;
  expect(admit(probe, 11_000, LIMITS).isAdmitted).toBe(true);
});

test('a probe that never asked leaves its turn to the next one, and changes nothing else', () => {
  const after = afterNothing(admit(failing(3), 1_000, LIMITS).state, 1_200);
  expect(after).toEqual({ kind: 'open', until: 1_200, openings: 1 });
  expect(admit(after, 1_200, LIMITS).isAdmitted).toBe(true);
  expect(afterNothing(failing(2), 1_200)).toEqual(failing(2));
  expect(afterNothing(failing(3), 500)).toEqual(failing(3));
});

test('each probe that fails doubles the wait, up to the longest', () => {
  let state = failing(3);
  const waits: number[] = [];
  for (let now = 1_000, i = 0; i < 4; i += 1) {
    state = afterFailure(admit(state, now, LIMITS).state, now, LIMITS);
    if (state.kind !== 'open') throw new Error('expected it to be open');
    waits.push(state.until - now);
    now = state.until;
  }
  expect(waits).toEqual([2_000, 4_000, 4_000, 4_000]);
});

test('failures of requests that were on their way when it opened do not prolong it', () => {
  expect(afterFailure(failing(3), 500, LIMITS)).toEqual(failing(3));
});

test('whatever happens, within the longest wait somebody is let through', () => {
  const step = fc.record({ fails: fc.boolean(), afterMs: fc.integer({ min: 0, max: 5_000 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      let state = CLOSED;
      let now = 0;
      for (const { fails, afterMs } of steps) {
        now += afterMs;
        const admission = admit(state, now, LIMITS);
        if (!admission.isAdmitted) continue;
        state = fails ? afterFailure(admission.state, now, LIMITS) : CLOSED;
      }
      const longest = Math.max(LIMITS.maxOpenMs, LIMITS.probeMs);
      expect(admit(state, now + longest, LIMITS).isAdmitted).toBe(true);
    }),
  );
});
