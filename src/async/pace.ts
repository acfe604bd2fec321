import { setImmediate as nextTurn } from 'node:timers/promises';
import { pause } from './deadline.ts';
import type { Clock } from '../clock.ts';

/** Waits shorter than this are saved up: timers are not that exact. */
const LEAST_WAIT_MS = 20;
/** So much of an unused allowance is kept; what runs in the background is not to catch up by a burst. */
const MAX_CREDIT_MS = 100;

/**
 * Holds work to a rate, so that what runs in the background leaves the disk and the event loop to those who are
 * served. Without a rate it only lets others have their turn.
 */
export class Pacer {
  readonly #clock: Clock;
  readonly #unitsPerSecond: number | undefined;
  readonly #signal: AbortSignal;
  /** When what was done so far would be done at the rate, by the monotonic clock. */
  #dueAt: number;

  /** @param signal ends a wait */
  constructor(clock: Clock, unitsPerSecond: number | undefined, signal: AbortSignal) {
    this.#clock = clock;
    this.#unitsPerSecond = unitsPerSecond;
    this.#signal = signal;
    this.#dueAt = clock.monotonic();
  }

  /**
   * To be called when so many units (bytes, rows) are done.
   * @throws the signal's reason once it has aborted
   */
  async spend(units: number): Promise<void> {
    const now = this.#clock.monotonic();
    const costMs = this.#unitsPerSecond === undefined ? 0 : (1000 * units) / this.#unitsPerSecond;
    this.#dueAt = Math.max(this.#dueAt, now - MAX_CREDIT_MS) + costMs;
    if (this.#dueAt - now >= LEAST_WAIT_MS) await pause(this.#clock, this.#dueAt - now, this.#signal);
    else await nextTurn();
    this.#signal.throwIfAborted();
  }
}
