import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import {
  admit,
  afterFailure,
  afterNothing,
  CLOSED,
  type BreakerLimits,
  type BreakerState,
} from './breaker-state.ts';
import { UpstreamError, type UpstreamFailureReason } from './error.ts';
import { decorate } from './decorate.ts';
import type { Upstream } from './upstream.ts';

export interface BreakerDeps {
  readonly clock: Clock;
  readonly events: Events;
  readonly limits?: BreakerLimits;
  /** What may refuse a call by itself, for Larder's own reasons: such a call is no probe. */
  readonly local?: (upstream: Upstream) => Upstream;
}

const LIMITS: BreakerLimits = { failures: 5, openMs: 2_000, maxOpenMs: 30_000, probeMs: 60_000 };

/** What says that upstream is not there, or not well. A strange answer is an answer. */
const COUNTED: ReadonlySet<UpstreamFailureReason> = new Set([
  'timeout',
  'refused',
  'reset',
  'dns',
  'tls',
  'status',
  'token',
  'network',
] as const);

/**
 * An upstream that answers 4xx is well, and so is one that answers with a page for people: else a client that asks for
 * what upstream will not have would take it from everybody. Of a timeout (408) and a proxy that does not let us through
 * (407) that cannot be said.
 */
function isIll({ failure, reason, status = 500 }: UpstreamError): boolean {
  if (failure !== 'unavailable' || !COUNTED.has(reason)) return false;
  return status >= 500 || status === 407 || status === 408;
}

/** What says nothing of upstream: it was not asked, or not heard out. */
const UNASKED: ReadonlySet<UpstreamFailureReason> = new Set(['cancelled', 'busy'] as const);

function wasAsked(error: unknown): error is UpstreamError {
  return error instanceof UpstreamError && error.wasAsked && !UNASKED.has(error.reason);
}

/**
 * An upstream that is not asked while it does not answer: after some failures in a row every call fails at once,
 * until one that is let through now and then gets an answer. So a dead upstream does not cost each client a timeout.
 */
export class Breaker {
  readonly upstream: Upstream;
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #limits: BreakerLimits;
  #state: BreakerState = CLOSED;
  #told: BreakerState['kind'] = CLOSED.kind;
  #lastError: UpstreamError | undefined;

  constructor(upstream: Upstream, deps: BreakerDeps) {
    const { clock, events, limits = LIMITS, local = (asked) => asked } = deps;
    this.#clock = clock;
    this.#events = events;
    this.#limits = limits;
    const asked = local(decorate(upstream, (call) => this.#guard(call)));
    // Nobody waits for a turn, say, to be told that it is open.
    this.upstream = decorate(asked, async (call) => {
      this.#admitted();
      return call();
    });
  }

  get state(): BreakerState['kind'] {
    return this.#state.kind;
  }

  /** Why it is not closed. */
  get reason(): string | undefined {
    return this.#state.kind === 'closed' ? undefined : this.#lastSaid;
  }

  /** How it failed last, for everybody: of an answer only its status, since its message names what somebody asked for. */
  get #lastSaid(): string {
    const { name } = this.upstream;
    if (this.#lastError === undefined) return `${name}: it failed`;
    const { status, message } = this.#lastError;
    return status === undefined ? message : `${name}: answered ${status}`;
  }

  async #guard<T>(call: () => Promise<T>): Promise<T> {
    const state = this.#admitted();
    this.#become(state);
    try {
      const value = await call();
      this.#become(CLOSED);
      return value;
    } catch (error) {
      this.#note(error, state);
      throw error;
    }
  }

  /** @returns the state once a call goes through. @throws UpstreamError `breaker-open` where none may */
  #admitted(): BreakerState {
    const now = this.#clock.monotonic();
    const { isAdmitted, state } = admit(this.#state, now, this.#limits);
    if (isAdmitted) return state;
    throw this.#refusal(state.kind === 'open' ? state.until - now : undefined);
  }

  /** @param admitted the state that the request left behind when it was let through: a probe's is its own */
  #note(error: unknown, admitted: BreakerState): void {
    if (!wasAsked(error)) {
      // Not told: the next call is the probe that this one was not.
      if (this.#state === admitted) this.#state = afterNothing(admitted, this.#clock.monotonic());
      return;
    }
    if (!isIll(error)) return this.#become(CLOSED);
    this.#lastError = error;
    this.#become(afterFailure(this.#state, this.#clock.monotonic(), this.#limits));
  }

  #become(state: BreakerState): void {
    this.#state = state;
    if (this.#told === state.kind) return;
    this.#told = state.kind;
    const error = state.kind === 'closed' ? undefined : this.#lastError;
    this.#events.emit({ kind: 'breaker-changed', upstream: this.upstream.name, state: state.kind, error });
  }

  /** @param retryAfterMs until the next one is let through, where that is known */
  #refusal(retryAfterMs: number | undefined): UpstreamError {
    return new UpstreamError(
      this.upstream.name,
      'unavailable',
      'breaker-open',
      `not asked for the moment, since it did not answer lately (${this.#lastSaid})`,
      { wasAsked: false, cause: this.#lastError, retryAfterMs },
    );
  }
}
