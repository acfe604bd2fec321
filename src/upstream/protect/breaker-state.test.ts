import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  admit,
  afterFailure,
  afterUnasked,
  CLOSED,
  type BreakerLimits,
  type BreakerState,
} from './breaker-state.ts';

const ASKER = 'acme/app';
const LIMITS: BreakerLimits = { failures: 3, openMs: 1_000, maxOpenMs: 4_000, probeMs: 10_000 };

function failing(times: number, now = 0): BreakerState {
  let state = CLOSED;
  for (let i = 0; i < times; i += 1) state = afterFailure(state, now, ASKER, LIMITS);
  return state;
}

test('opens after the limit of failures in a row, and not before', () => {
  expect(failing(2)).toEqual({ kind: 'closed', failures: 2, only: ASKER });
  expect(failing(3)).toEqual({ kind: 'open', until: 1_000, openings: 1, only: ASKER });
});

test('while open no request goes through; then one probe does, and no second one beside it', () => {
  const open = failing(3);
  expect(admit(open, 999, ASKER, LIMITS).isAdmitted).toBe(false);
  const probe = admit(open, 1_000, ASKER, LIMITS);
  expect(probe).toEqual({
    isAdmitted: true,
    state: { kind: 'half-open', until: 11_000, openings: 1, only: ASKER },
  });
  expect(admit(probe.state, 1_001, ASKER, LIMITS).isAdmitted).toBe(false);
});

test('a lost probe does not keep it open for ever', () => {
  const probe = admit(failing(3), 1_000, ASKER, LIMITS).state;
  expect(admit(probe, 11_000, ASKER, LIMITS).isAdmitted).toBe(true);
});

test('a probe that did not ask leaves its turn to the next request, and changes nothing else', () => {
  const after = afterUnasked(admit(failing(3), 1_000, ASKER, LIMITS).state, 1_200);
  expect(after).toEqual({ kind: 'open', until: 1_200, openings: 1, only: ASKER });
  expect(admit(after, 1_200, ASKER, LIMITS).isAdmitted).toBe(true);
  expect(afterUnasked(failing(2), 1_200)).toEqual(failing(2));
  expect(afterUnasked(failing(3), 500)).toEqual(failing(3));
});

test('each probe that fails doubles the wait, up to the longest', () => {
  let state = failing(3);
  const waits: number[] = [];
  for (let now = 1_000, i = 0; i < 4; i += 1) {
    state = afterFailure(admit(state, now, ASKER, LIMITS).state, now, ASKER, LIMITS);
    if (state.kind !== 'open') throw new Error('expected it to be open');
    waits.push(state.until - now);
    now = state.until;
  }
  expect(waits).toEqual([2_000, 4_000, 4_000, 4_000]);
});

test('failures of requests that were under way when it opened do not prolong the wait', () => {
  expect(afterFailure(failing(3), 500, ASKER, LIMITS)).toEqual(failing(3));
});

test('in any course of events, a request goes through within the longest wait', () => {
  const step = fc.record({ fails: fc.boolean(), afterMs: fc.integer({ min: 0, max: 5_000 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      let state = CLOSED;
      let now = 0;
      for (const { fails, afterMs } of steps) {
        now += afterMs;
        const admission = admit(state, now, ASKER, LIMITS);
        if (!admission.isAdmitted) continue;
        state = fails ? afterFailure(admission.state, now, ASKER, LIMITS) : CLOSED;
      }
      const longest = Math.max(LIMITS.maxOpenMs, LIMITS.probeMs);
      expect(admit(state, now + longest, ASKER, LIMITS).isAdmitted).toBe(true);
    }),
  );
});

test('if only one asker has failed, others go through, and change the state only by failing', () => {
  const open = failing(3);
  expect(admit(open, 1, 'acme/other', LIMITS)).toEqual({ isAdmitted: true, state: open });
  const probe = admit(open, 1_000, ASKER, LIMITS).state;
  expect(admit(probe, 1_001, 'acme/other', LIMITS)).toEqual({ isAdmitted: true, state: probe });
  const several = afterFailure(open, 2, 'acme/other', LIMITS);
  expect(several).toEqual({ ...open, only: undefined });
  expect(admit(several, 3, 'acme/third', LIMITS).isAdmitted).toBe(false);
});

test('failures of several askers open it for all', () => {
  const both = afterFailure(failing(1), 0, 'acme/other', LIMITS);
  expect(both).toEqual({ kind: 'closed', failures: 2, only: undefined });
  const open = afterFailure(both, 0, ASKER, LIMITS);
  expect(open).toMatchObject({ kind: 'open', only: undefined });
  expect(admit(open, 1, 'acme/third', LIMITS).isAdmitted).toBe(false);
});
