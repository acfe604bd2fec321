import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import { UpstreamError } from '../error.ts';

/** How long a refusal is kept: a short time, since an account that is accepted again must not wait for long. */
const KEPT_MS = 30_000;
const MAX_REFUSALS = 1000;

/**
 * Keeps refusals for a short time: the next caller gets one without a request, so that the account is not locked out.
 */
export class Refusals {
  readonly #entries = new LRUCache<string, { readonly error: UpstreamError; readonly until: number }>({
    max: MAX_REFUSALS,
  });
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns the refusal for a caller that did not cause it. */
  get(key: string): UpstreamError | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#clock.monotonic() >= entry.until) return undefined;
    const { upstream, failure, reason, said, status } = entry.error;
    return new UpstreamError(upstream, failure, reason, said, {
      status,
      wasAsked: false,
      cause: entry.error,
    });
  }

  put(key: string, error: UpstreamError): void {
    this.#entries.set(key, { error, until: this.#clock.monotonic() + KEPT_MS });
  }
}
