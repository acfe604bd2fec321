/**
 * The state of a breaker. Its times are monotonic, in milliseconds.
 * - `closed`: requests go through; the last `failures` of them have failed.
 * - `open`: no request goes through before `until`.
 * - `half-open`: one probe is under way; no other request goes through before `until`, when the probe counts as lost.
 *
 * `only` is set if one asker (such as a repository) had all of these failures: requests of other askers go through.
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
  /** Number of failures in a row that opens the breaker. */
  readonly failures: number;
  /** How long it stays open the first time; twice as long after each failed probe. */
  readonly openMs: number;
  readonly maxOpenMs: number;
  /**
   * How long a probe may take before the next one goes through: a lost probe must not keep the breaker open for ever.
   */
  readonly probeMs: number;
}

export const CLOSED: BreakerState = { kind: 'closed', failures: 0 };

/** Decides whether a request of `asker` may go through at `now`. @returns also the state if it does */
export function admit(
  state: BreakerState,
  now: number,
  asker: string,
  { probeMs }: BreakerLimits,
): { readonly isAdmitted: boolean; readonly state: BreakerState } {
  if (state.kind === 'closed') return { isAdmitted: true, state };
  if (state.only !== undefined && state.only !== asker) return { isAdmitted: true, state };
  if (now < state.until) return { isAdmitted: false, state };
  return { isAdmitted: true, state: { ...state, kind: 'half-open', until: now + probeMs } };
}

/** Returns the state after a request of `asker` has failed. */
export function afterFailure(
  state: BreakerState,
  now: number,
  asker: string,
  limits: BreakerLimits,
): BreakerState {
  const isFirst = state.kind === 'closed' && state.failures === 0;
  const only = isFirst || state.only === asker ? asker : undefined;
  switch (state.kind) {
    case 'closed': {
      const failures = state.failures + 1;
      return failures < limits.failures ? { kind: 'closed', failures, only } : opened(1, now, only, limits);
    }
    case 'half-open':
      return opened(state.openings + 1, now, only, limits);
    case 'open':
      // The request began before the breaker opened, or is of another asker: it does not make the wait longer.
      return only === state.only ? state : { ...state, only };
  }
}

/** Returns the state after a request that ended before upstream was asked: the next one may be the probe instead. */
export function afterUnasked(state: BreakerState, now: number): BreakerState {
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
