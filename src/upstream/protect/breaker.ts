import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';
import {
  admit,
  afterFailure,
  afterNothing,
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

/** `gone`: nothing of upstream was heard; `ill`: it has answered by failing. Any other answer is one that is well. */
type Symptom = 'gone' | 'ill' | undefined;

/**
 * An upstream that answers 4xx is well, and so is one that answers with a page for people: else a client that asks for
 * what upstream will not have would take it from everybody. By 407 only our own proxy has spoken.
 */
function symptomOf({ failure, reason, status }: UpstreamError): Symptom {
  if (failure !== 'unavailable' || !COUNTED.has(reason)) return undefined;
  if (status === undefined || status === 407) return 'gone';
  return status >= 500 || status === 408 ? 'ill' : undefined;
}

/** What says nothing of upstream: it was not asked, or not heard out. So does a loop. */
const UNASKED: ReadonlySet<UpstreamFailureReason> = new Set(['cancelled', 'busy'] as const);

function wasAsked(error: unknown): error is UpstreamError {
  return error instanceof UpstreamError && error.wasAsked && !error.isLoop && !UNASKED.has(error.reason);
}

/**
 * An upstream that is not asked while it does not answer: after some failures in a row every call fails at once,
 * until one that is let through now and then gets an answer. So a dead upstream does not cost each client a timeout.
 * Where all of these were of one repository, the others go through. What it answers by failing is held back by itself
 * (`FailingQuestions`).
 */
export class Breaker {
  readonly upstream: Upstream;
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #limits: BreakerLimits;
  readonly #failing: FailingQuestions;
  #state: BreakerState = CLOSED;
  #told: BreakerState['kind'] = CLOSED.kind;
  #lastError: UpstreamError | undefined;

  constructor(upstream: Upstream, deps: BreakerDeps) {
    const { clock, events, limits = LIMITS, local = (asked) => asked } = deps;
    this.#clock = clock;
    this.#events = events;
    this.#limits = limits;
    this.#failing = new FailingQuestions(clock, limits);
    const asked = local(decorate(upstream, (call, question) => this.#guard(call, question)));
    // Nobody waits for a turn, say, to be told that it is open.
    this.upstream = decorate(asked, async (call, { repository }) => {
      this.#admitted(repository);
      return call();
    });
  }

  get state(): BreakerState['kind'] {
    return this.#state.kind === 'closed' && this.#failing.isAgreed ? 'open' : this.#state.kind;
  }

  /** Why it is not closed. */
  get reason(): string | undefined {
    return this.state === 'closed' ? undefined : this.#lastSaid;
  }

  /** How it failed last, for everybody: of an answer only its status, since its message names what somebody asked for. */
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

  /** @returns the state once a call goes through. @throws UpstreamError `breaker-open` where none may */
  #admitted(repository: string): BreakerState {
    const now = this.#clock.monotonic();
    const { isAdmitted, state } = admit(this.#state, now, repository, this.#limits);
    if (isAdmitted) return state;
    const waitMs = state.kind === 'open' ? state.until - now : undefined;
    throw this.#refusal('not asked for the moment, since it', waitMs);
  }

  /** @param admitted the state that the request left behind when it was let through: a probe's is its own */
  #note(error: unknown, admitted: BreakerState, question: UpstreamCall): void {
    if (!wasAsked(error)) {
      // Not told: the next call is the probe that this one was not.
      if (this.#state === admitted) this.#state = afterNothing(admitted, this.#clock.monotonic());
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
    if (this.#told === kind) return;
    this.#told = kind;
    const error = kind === 'closed' ? undefined : this.#lastError;
    this.#events.emit({ kind: 'breaker-changed', upstream: this.upstream.name, state: kind, error });
  }

  /** @param retryAfterMs until the next one is let through, where that is known */
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
