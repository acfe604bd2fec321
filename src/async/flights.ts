import type { Clock } from '../clock.ts';

/** A running flight as one of its passengers sees it. */
export interface Boarding<T> {
  readonly promise: Promise<T>;
  /** Whether a flight was joined that another caller had begun. */
  readonly collapsed: boolean;
  /** When the flight began, by the monotonic clock, in milliseconds. */
  readonly startedAt: number;
}

/**
 * One run at a time for each key (single-flight), shared by all callers that ask meanwhile: each of them gets the value, or
 * the error. A run belongs to no caller, so a caller that leaves does not end it.
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
    // The flight outlives callers that left early: where all have, no caller is there to see it fail.
    promise.catch(() => {});
    const flight = { promise, startedAt: this.#clock.monotonic() };
    this.#running.set(key, flight);
    return { ...flight, collapsed: false };
  }
}

/** Joins the parts of a key by a character that none of them can contain. */
export function flightKey(...parts: readonly string[]): string {
  return parts.join('\0');
}
