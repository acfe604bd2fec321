/** A running flight as one of its passengers sees it. */
export interface Boarding<T> {
  readonly promise: Promise<T>;
  /** Whether somebody else's flight was joined. */
  readonly collapsed: boolean;
  /** When the flight began, by the monotonic clock, in milliseconds. */
  readonly startedAt: number;
}

/**
 * One run at a time for each key, shared by all who ask meanwhile: every one of them gets the value, or the
 * error. A run belongs to nobody's request, so nobody's leaving ends it.
 */
export class Flights<T> {
  readonly #running = new Map<string, { promise: Promise<T>; startedAt: number }>();
  readonly #now: () => number;

  /** @param now the monotonic clock */
  constructor(now: () => number) {
    this.#now = now;
  }

  get size(): number {
    return this.#running.size;
  }

  join(key: string, run: () => Promise<T>): Boarding<T> {
    const current = this.#running.get(key);
    if (current !== undefined) return { ...current, collapsed: true };
    const promise = run().finally(() => this.#running.delete(key));
    // The flight outlives passengers that left early: nobody may be there to see it fail.
    promise.catch(() => {});
    const flight = { promise, startedAt: this.#now() };
    this.#running.set(key, flight);
    return { ...flight, collapsed: false };
  }
}

/** Joins the parts of a key by a character that none of them can contain. */
export function flightKey(...parts: readonly string[]): string {
  return parts.join('\0');
}
