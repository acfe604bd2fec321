import { setImmediate as nextTurn } from 'node:timers/promises';
import { pause } from './deadline.ts';
import type { Clock } from '../clock.ts';

/** Shortest wait: shorter ones add up until they reach it, since timers are not that exact. */
const LEAST_WAIT_MS = 20;
/** Most unused time that is saved up, in milliseconds: work in the background must not catch up by a burst. */
const MAX_CREDIT_MS = 100;

/**
 * Holds work in the background to a rate, so that it leaves the disk and the event loop to clients. Without a rate it
 * only lets other work have its turn.
 */
export class Pacer {
  readonly #clock: Clock;
  readonly #unitsPerSecond: number | undefined;
  readonly #signal: AbortSignal;
  /** Monotonic time at which the work so far would be done at the rate. */
  #dueAt: number;

  /** @param signal ends a wait */
  constructor(clock: Clock, unitsPerSecond: number | undefined, signal: AbortSignal) {
    this.#clock = clock;
    this.#unitsPerSecond = unitsPerSecond;
    this.#signal = signal;
    this.#dueAt = clock.monotonic();
  }

  /**
   * Waits as long as the rate demands after `units` (bytes, rows) of work, which the caller has done.
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
