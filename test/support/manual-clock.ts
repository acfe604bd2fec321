import type { Clock } from '../../src/clock.ts';
import { callersOf } from './callers-of.ts';

interface Timer {
  readonly at: number;
  readonly ms: number;
  readonly callback: () => void;
  /** The place in the code where it was set. */
  readonly setAt: Error;
}

/**
 * A clock that the test moves: `advance` runs the timers that fall due on the way, in order. With `msPerReading`, each
 * reading moves it too, which shows code that ends only on a clock that stands still while code runs; timers still wait
 * for `advance`.
 */
export class ManualClock implements Clock {
  readonly #timers = new Set<Timer>();
  #elapsed = 0;
  #set = 0;
  #epoch: number;
  readonly #msPerReading: number;

  constructor(epoch = Date.UTC(2026, 0, 1), msPerReading = 0) {
    this.#epoch = epoch;
    this.#msPerReading = msPerReading;
  }

  now(): number {
    return this.#epoch + this.monotonic();
  }

  monotonic(): number {
    this.#elapsed += this.#msPerReading;
    return this.#elapsed;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#elapsed + ms, ms, callback, setAt: new Error() };
    this.#timers.add(timer);
    this.#set += 1;
    return () => this.#timers.delete(timer);
  }

  /** Number of timers that have neither run nor been cancelled. */
  get pending(): number {
    return this.#timers.size;
  }

  /** A line for each of those timers: how long it runs, and the code that has set it. */
  get left(): readonly string[] {
    return [...this.#timers].map(({ ms, setAt }) => `a timer of ${ms} ms, set by ${callersOf(setAt)}`);
  }

  /** Number of timers that were ever set. */
  get set(): number {
    return this.#set;
  }

  advance(ms: number): void {
    const end = this.#elapsed + ms;
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#timers.delete(next);
      this.#elapsed = Math.max(this.#elapsed, next.at);
      next.callback();
    }
    // A timer's callback may have read the clock, and so moved it.
    this.#elapsed = Math.max(this.#elapsed, end);
  }

  /** Moves to the next timer, and runs the timers that are due then. @returns whether there was one */
  advanceToNext(): boolean {
    const next = this.#next(Infinity);
    if (next === undefined) return false;
    this.advance(Math.max(0, next.at - this.#elapsed));
    return true;
  }

  /** Sets the machine's clock, as an operator might: `now` jumps, `monotonic` and the timers do not. */
  jump(ms: number): void {
    this.#epoch += ms;
  }

  #next(end: number): Timer | undefined {
    return [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  }
}

/**
 * Makes the clock of a fixture. It stands still unless the test or the whole run says otherwise: the suites that
 * vitest.config.ts names run a second time with a clock that moves.
 */
export function fixtureClock(msPerReading = Number(process.env['MS_PER_READING'] ?? 0)): ManualClock {
  return new ManualClock(undefined, msPerReading);
}
