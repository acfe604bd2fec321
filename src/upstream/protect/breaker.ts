import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';
import {
  admit,
  afterFailure,
  afterUnasked,
  CLOSED,
  type BreakerLimits,
  type BreakerState,
} from './breaker-state.ts';
import { UpstreamError, type UpstreamFailureReason } from '../error.ts';
import { decorate, type UpstreamCall } from './decorate.ts';
import { FailingQuestions } from './failing-questions.ts';
import type { Upstream } from '../upstream.ts';

export interface BreakerDeps {
  readonly clock: Clock;
  readonly events: Events;
  readonly limits?: BreakerLimits;
  /** Wraps upstream in parts that may refuse a call for Larder's own reasons. A call that they refuse is no probe. */
  readonly local?: (upstream: Upstream) => Upstream;
}

const LIMITS: BreakerLimits = { failures: 5, openMs: 2_000, maxOpenMs: 30_000, probeMs: 60_000 };

/**
 * Failures that mean that upstream is unreachable or ill. A strange answer is not among them, since it is an answer.
 */
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

/** `gone`: no answer came; `ill`: upstream answered with a failure of its own. Undefined: upstream is well. */
type Symptom = 'gone' | 'ill' | undefined;

/**
 * Tells what a failure says about upstream's health. An upstream that answers 4xx, or with a page for people, is well:
 * otherwise one client's requests that upstream rejects would open the breaker for all clients. A 407 comes from our
 * own proxy.
 */
function symptomOf({ failure, reason, status }: UpstreamError): Symptom {
  if (failure !== 'unavailable' || !COUNTED.has(reason)) return undefined;
  if (status === undefined || status === 407) return 'gone';
  return status >= 500 || status === 408 ? 'ill' : undefined;
}

/** Failures that say nothing about upstream: it was not asked, or its answer was not awaited. */
const UNASKED: ReadonlySet<UpstreamFailureReason> = new Set(['cancelled', 'busy'] as const);

/** Whether the error says something about upstream. A loop does not: see `UpstreamError.isLoop`. */
function wasAsked(error: unknown): error is UpstreamError {
  return error instanceof UpstreamError && error.wasAsked && !error.isLoop && !UNASKED.has(error.reason);
}

/**
 * Stops asking an upstream that does not answer: after some failures in a row every call fails at once, except for a
 * probe now and then, until one gets an answer. So a dead upstream does not cost each client a timeout. If all failures
 * were of one repository, calls for others go through. Questions that upstream answers by failing (5xx) are held back
 * one by one (`FailingQuestions`).
 */
export class Breaker {
  readonly upstream: Upstream;
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #limits: BreakerLimits;
  readonly #failing: FailingQuestions;
  #state: BreakerState = CLOSED;
  #emitted: BreakerState['kind'] = CLOSED.kind;
  #lastError: UpstreamError | undefined;

  constructor(upstream: Upstream, deps: BreakerDeps) {
    const { clock, events, limits = LIMITS, local = (asked) => asked } = deps;
    this.#clock = clock;
    this.#events = events;
    this.#limits = limits;
    this.#failing = new FailingQuestions(clock, limits);
    const asked = local(decorate(upstream, (call, question) => this.#guard(call, question)));
    // The outer check comes first, so that no call waits for its turn only to hear that the breaker is open.
    this.upstream = decorate(asked, async (call, { repository }) => {
      this.#admitted(repository);
      return call();
    });
  }

  get state(): BreakerState['kind'] {
    return this.#state.kind === 'closed' && this.#failing.isAgreed ? 'open' : this.#state.kind;
  }

  /** Why the breaker is not closed; undefined if it is. */
  get reason(): string | undefined {
    return this.state === 'closed' ? undefined : this.#lastSaid;
  }

  /**
   * The last failure, in words that any client may read. If upstream answered, only the status is told, since the
   * message names what another client asked for.
   */
  get #lastSaid(): string {
    const { name } = this.upstream;
    if (this.#lastError === undefined) return `${name}: it failed`;
    const { status, message } = this.#lastError;
    return status === undefined ? message : `${name}: answered ${status}`;
  }

  async #guard<T>(call: () => Promise<T>, question: UpstreamCall): Promise<T> {
    const state = this.#admitted(question.repository);
    const heldMs = this.#failing.admit(question);
    if (heldMs !== undefined) throw this.#refusal('not asked for this for the moment, since it', heldMs);
    this.#become(state);
    try {
      const value = await call();
      this.#answered(question);
      return value;
    } catch (error) {
      this.#note(error, state, question);
      throw error;
    }
  }

  /** @returns the state after a call goes through. @throws UpstreamError `breaker-open` if none may */
  #admitted(repository: string): BreakerState {
    const now = this.#clock.monotonic();
    const { isAdmitted, state } = admit(this.#state, now, repository, this.#limits);
    if (isAdmitted) return state;
    const waitMs = state.kind === 'open' ? state.until - now : undefined;
    throw this.#refusal('not asked for the moment, since it', waitMs);
  }

  /** @param admitted the state after the call was let through: if it is still the state, the call is its probe */
  #note(error: unknown, admitted: BreakerState, question: UpstreamCall): void {
    if (!wasAsked(error)) {
      // The next call becomes the probe that this one was not. That is no event.
      if (this.#state === admitted) this.#state = afterUnasked(admitted, this.#clock.monotonic());
      return this.#failing.notAsked(question);
    }
    const symptom = symptomOf(error);
    if (symptom === undefined) return this.#answered(question);
    this.#lastError = error;
    if (symptom === 'ill') {
      this.#failing.failed(question);
      return this.#become(CLOSED);
    }
    this.#failing.notAsked(question);
    const now = this.#clock.monotonic();
    this.#become(afterFailure(this.#state, now, question.repository, this.#limits));
  }

  #answered(question: UpstreamCall): void {
    this.#failing.answered(question);
    this.#become(CLOSED);
  }

  #become(state: BreakerState): void {
    this.#state = state;
    const kind = this.state;
    if (this.#emitted === kind) return;
    this.#emitted = kind;
    const error = kind === 'closed' ? undefined : this.#lastError;
    this.#events.emit({ kind: 'breaker-changed', upstream: this.upstream.name, state: kind, error });
  }

  /** @param retryAfterMs time until the next call goes through, if it is known */
  #refusal(what: string, retryAfterMs: number | undefined): UpstreamError {
    return new UpstreamError(
      this.upstream.name,
      'unavailable',
      'breaker-open',
      `${what} did not answer lately (${this.#lastSaid})`,
      { wasAsked: false, cause: this.#lastError, retryAfterMs },
    );
  }
}
