import type { Clock } from '../clock.ts';

/** A running flight, as one of its callers sees it. */
export interface Boarding<T> {
  readonly promise: Promise<T>;
  /** Whether another caller had begun the flight. */
  readonly collapsed: boolean;
  /** When the flight began, by the monotonic clock, in milliseconds. */
  readonly startedAt: number;
}

/**
 * Runs one flight at a time for each key (single-flight). All callers that ask meanwhile share it: each gets the value
 * or the error. A flight belongs to no caller, so a caller that leaves does not end it.
 */
export class Flights<T> {
  readonly #running = new Map<string, { promise: Promise<T>; startedAt: number }>();
  readonly #clock: Pick<Clock, 'monotonic'>;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#running.size;
  }

  join(key: string, run: () => Promise<T>): Boarding<T> {
    const current = this.#running.get(key);
    if (current !== undefined) return { ...current, collapsed: true };
    const promise = run().finally(() => this.#running.delete(key));
    // The flight outlives callers that leave early. If all have left, no caller handles its failure.
    promise.catch(() => {});
    const flight = { promise, startedAt: this.#clock.monotonic() };
    this.#running.set(key, flight);
    return { ...flight, collapsed: false };
  }
}

/** Joins the parts of a key by a character that none of them contains. */
export function flightKey(...parts: readonly string[]): string {
  return parts.join('\0');
}
