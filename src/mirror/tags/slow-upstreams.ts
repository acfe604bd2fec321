import type { Clock } from '../../clock.ts';

/**
 * How long an upstream counts as slow without being asked. Without an end, the first pull after a slow minute would
 * get an old answer, however much later it came and however well upstream was by then.
 */
const SLOW_MS = 60_000;

/** Upstreams that have let a deadline pass, and have not answered a check since. */
export class SlowUpstreams {
  /** When each has last done so, by the monotonic clock. */
  readonly #since = new Map<string, number>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An upstream that a client has waited for in vain a moment ago is not waited for again. */
  isSlow(upstream: string): boolean {
    const since = this.#since.get(upstream);
    return since !== undefined && this.#clock.monotonic() - since < SLOW_MS;
  }

  hasTimedOut(upstream: string): void {
    this.#since.set(upstream, this.#clock.monotonic());
  }

  hasAnswered(upstream: string): void {
    this.#since.delete(upstream);
  }
}
