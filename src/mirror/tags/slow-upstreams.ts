import type { Clock } from '../../clock.ts';

/**
 * How long an upstream counts as slow. Without this limit, the first pull after a slow minute would get an old answer,
 * however much later it came, and even if upstream was fast again.
 */
const SLOW_MS = 60_000;

/** Knows the upstreams that have let a deadline pass, and have not answered a check since. */
export class SlowUpstreams {
  /** When each upstream has last let a deadline pass, by the monotonic clock. */
  readonly #since = new Map<string, number>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a client has lately waited for the upstream in vain: then the next client does not wait. */
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
