import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import { Flights } from '../../async/flights.ts';

interface Entry<T> {
  readonly value: T;
  /** When it was asked for, by the monotonic clock: changes after the question are not in the answer. */
  readonly at: number;
}

/** An answer, and where it came from. */
export interface Recalled<T> {
  readonly value: T;
  readonly source: 'memory' | 'upstream' | 'stale';
  readonly collapsed: boolean;
  /** Milliseconds since the answer was asked for. Absent: it was asked for now. */
  readonly ageMs?: number;
  /** Error because of which a stale answer is given. */
  readonly error?: unknown;
}

/**
 * Keeps short-lived answers in memory. Each question says for how long an answer is fresh; callers that ask at the same
 * time share one request; and older answers are kept in case the source fails. The sum of their sizes is bounded, since
 * clients choose the keys.
 */
export class Remembered<T extends object> {
  readonly #entries: LRUCache<string, Entry<T>>;
  readonly #flights: Flights<T>;
  readonly #clock: Clock;

  /** @param maxSize in the units of `sizeOf` (at least 1 an entry) */
  constructor(clock: Clock, maxSize: number, sizeOf: (value: T) => number) {
    this.#clock = clock;
    this.#flights = new Flights(clock);
    this.#entries = new LRUCache({ maxSize, sizeCalculation: ({ value }) => 1 + sizeOf(value) });
  }

  /** Forgets every answer, except those whose request is running. */
  clear(): void {
    this.#entries.clear();
  }

  /**
   * Returns the answer from memory if it is fresh, else asks for it.
   * @param isFailure whether an error means that the source could not answer, so that a stale answer may be given
   * @throws the error of `ask`, if no stale answer may be given, or none is there
   */
  async get(
    key: string,
    ttlMs: number,
    ask: () => Promise<T>,
    isFailure: (error: unknown) => boolean,
  ): Promise<Recalled<T>> {
    const entry = this.#entries.get(key);
    const ageMs = entry === undefined ? Infinity : this.#ageMs(entry);
    if (entry !== undefined && ageMs < ttlMs) {
      return { value: entry.value, source: 'memory', collapsed: false, ageMs };
    }
    const { promise, collapsed } = this.#flights.join(key, async () => {
      const at = this.#clock.monotonic();
      const value = await ask();
      this.#entries.set(key, { value, at });
      return value;
    });
    try {
      return { value: await promise, source: 'upstream', collapsed };
    } catch (error) {
      if (entry === undefined || !isFailure(error)) throw error;
      return { value: entry.value, source: 'stale', collapsed, error, ageMs: this.#ageMs(entry) };
    }
  }

  #ageMs({ at }: Entry<T>): number {
    return this.#clock.monotonic() - at;
  }
}
