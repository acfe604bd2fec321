/**
 * What a breaker knows. Times are by the monotonic clock, in milliseconds.
 * - `closed`: requests go through; so many have failed in a row.
 * - `open`: none goes through before `until`.
 * - `half-open`: one is on its way to find out; no other goes through before `until`, when it is given up for lost.
 *
 * `only` is the one who alone has failed so: then nobody else is held back.
 */
export type BreakerState =
  { readonly kind: 'closed'; readonly failures: number; readonly only?: string | undefined } | OpenState;

interface OpenState {
  readonly kind: 'open' | 'half-open';
  readonly until: number;
  readonly openings: number;
  readonly only: string | undefined;
}

export interface BreakerLimits {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** How long it stays open the first time; twice as long each time the probe fails. */
  readonly openMs: number;
  readonly maxOpenMs: number;
  /** How long a probe may take before the next one is let through: a probe that is lost must not wedge it. */
  readonly probeMs: number;
}

export const CLOSED: BreakerState = { kind: 'closed', failures: 0 };

/** Whether a request of `who` may go through at `now`, and the state if it does. */
export function admit(
  state: BreakerState,
  now: number,
  who: string,
  { probeMs }: BreakerLimits,
): { readonly isAdmitted: boolean; readonly state: BreakerState } {
  if (state.kind === 'closed') return { isAdmitted: true, state };
  if (state.only !== undefined && state.only !== who) return { isAdmitted: true, state };
  if (now < state.until) return { isAdmitted: false, state };
  return { isAdmitted: true, state: { ...state, kind: 'half-open', until: now + probeMs } };
}

/** After a request of `who` has failed. */
export function afterFailure(
  state: BreakerState,
  now: number,
  who: string,
  limits: BreakerLimits,
): BreakerState {
  const isFirst = state.kind === 'closed' && state.failures === 0;
  const only = isFirst || state.only === who ? who : undefined;
  switch (state.kind) {
    case 'closed': {
      const failures = state.failures + 1;
      return failures < limits.failures ? { kind: 'closed', failures, only } : opened(1, now, only, limits);
    }
    case 'half-open':
      return opened(state.openings + 1, now, only, limits);
    case 'open':
      // A request from before it opened, or of another one: the wait is no longer for that.
      return only === state.only ? state : { ...state, only };
  }
}

/** After a request that came to nothing before upstream was asked: the next one may find out what it did not. */
export function afterNothing(state: BreakerState, now: number): BreakerState {
  return state.kind === 'half-open' ? { ...state, kind: 'open', until: now } : state;
}

function opened(
  openings: number,
  now: number,
  only: string | undefined,
  { openMs, maxOpenMs }: BreakerLimits,
): BreakerState {
  const waitMs = Math.min(maxOpenMs, openMs * 2 ** Math.min(openings - 1, 30));
  return { kind: 'open', until: now + waitMs, openings, only };
}
