import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import {
  admit,
  afterFailure,
  afterUnasked,
  CLOSED,
  type BreakerLimits,
  type BreakerState,
} from './breaker-state.ts';
import type { UpstreamCall } from './decorate.ts';

/** Most questions remembered, since clients choose the questions. */
const MAX_QUESTIONS = 10_000;

/**
 * Upstream itself counts as ill once this many repositories have failed and it has answered no question for this time.
 */
const AGREEING = 3;
const AGREED_AFTER_MS = 5_000;

/**
 * Questions that upstream answers by failing (5xx). Such an answer proves that upstream is there, and says nothing
 * about other questions: one broken blob must not block its repository, nor one repository the upstream. So only the
 * question that failed is held back: after some failures in a row, or after one while several repositories fail.
 */
export class FailingQuestions {
  readonly #states = new LRUCache<string, BreakerState>({ max: MAX_QUESTIONS });
  /** Repositories that have failed since upstream last answered a question well. */
  readonly #repositories = new LRUCache<string, true>({ max: AGREEING });
  readonly #clock: Clock;
  readonly #limits: BreakerLimits;
  #failingSince: number | undefined;

  constructor(clock: Clock, limits: BreakerLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Whether the failures of several repositories agree that upstream is ill. */
  get isAgreed(): boolean {
    if (this.#failingSince === undefined || this.#repositories.size < AGREEING) return false;
    return this.#clock.monotonic() - this.#failingSince >= AGREED_AFTER_MS;
  }

  /** Lets the question through. @returns undefined; or how long it is held back instead, in milliseconds */
  admit({ key }: UpstreamCall): number | undefined {
    const now = this.#clock.monotonic();
    const { isAdmitted, state } = admit(this.#stateOf(key), now, key, this.#limits);
    if (isAdmitted) this.#set(key, state);
    return isAdmitted ? undefined : state.kind === 'open' ? state.until - now : this.#limits.openMs;
  }

  failed({ key, repository }: UpstreamCall): void {
    const now = this.#clock.monotonic();
    this.#failingSince ??= now;
    this.#repositories.set(repository, true);
    const limits = this.isAgreed ? { ...this.#limits, failures: 1 } : this.#limits;
    this.#set(key, afterFailure(this.#stateOf(key), now, key, limits));
  }

  /** Notes that upstream has answered the question well. */
  answered({ key }: UpstreamCall): void {
    this.#states.delete(key);
    this.#repositories.clear();
    this.#failingSince = undefined;
  }

  /** Notes that upstream was not asked after all. */
  notAsked({ key }: UpstreamCall): void {
    this.#set(key, afterUnasked(this.#stateOf(key), this.#clock.monotonic()));
  }

  #stateOf(key: string): BreakerState {
    return this.#states.get(key) ?? CLOSED;
  }

  #set(key: string, state: BreakerState): void {
    if (state !== CLOSED) this.#states.set(key, state);
  }
}
