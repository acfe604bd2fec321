import type { Clock } from '../../clock.ts';
import { nextTurn, type TurnRequest } from './next-turn.ts';
import type { Demand } from '../upstream.ts';

/** One turn, from when a call begins to wait for it until the turn is over. */
export class Turn implements TurnRequest {
  readonly #demand: Demand;
  readonly #onYieldable: () => void;
  #yield: (() => void) | undefined;

  constructor(demand: Demand, onYieldable: () => void) {
    this.#demand = demand;
    this.#onYieldable = onYieldable;
  }

  get client(): string | undefined {
    return this.#demand.client;
  }

  /** Whether it may be taken away for another call: no client waits for its work, and the work can be broken off. */
  get isIdle(): boolean {
    return this.client === undefined && this.#yield !== undefined;
  }

  /**
   * Lets the turn be taken away.
   * @param end breaks off its work; called at once if its client has left and another waits
   */
  makeYieldable(end: () => void): void {
    this.#yield = end;
    this.#onYieldable();
  }

  yield(): void {
    this.#yield?.();
  }
}

export interface WaitOptions {
  readonly clock: Clock;
  /** Longest wait for a turn, in milliseconds; 0: do not wait. */
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
}

interface Place {
  readonly go: () => void;
  readonly unwatch: () => void;
}

/** Gives out at most `max` turns at the same time, fairly between clients (`nextTurn`). */
export class FairTurns {
  readonly #max: number;
  readonly #running = new Map<Turn, Place>();
  readonly #waiting = new Map<Turn, Place>();
  #isDealing = false;

  constructor(max: number) {
    this.#max = max;
  }

  /** Number of turns that are held or waited for. */
  get size(): number {
    return this.#running.size + this.#waiting.size;
  }

  /**
   * Waits for a turn.
   * @returns the turn, which the caller must pass to `end`; undefined if none came within `waitMs` or the signal
   *   aborted
   */
  async take(demand: Demand, { clock, waitMs, signal }: WaitOptions): Promise<Turn | undefined> {
    if (waitMs === 0 && this.#running.size >= this.#max) return undefined;
    // The client may have left before the turn could yield: then a waiting call must get it now, not at the next event.
    const turn = new Turn(demand, () => this.#deal());
    const { promise, resolve } = Promise.withResolvers<boolean>();
    // When no client waits for a turn's work any more, the turn may go to another call.
    const unwatch = demand.watch(() => this.#deal());
    this.#waiting.set(turn, { go: () => resolve(true), unwatch });
    this.#deal();
    if (this.#waiting.has(turn)) {
      const giveUp = (): void => {
        // At once, or the turn could go to a call that has given up.
        if (this.#waiting.delete(turn)) unwatch();
        resolve(false);
      };
      const cancel = clock.after(waitMs, giveUp);
      signal?.addEventListener('abort', giveUp, { once: true });
      if (signal?.aborted === true || waitMs === 0) giveUp();
      await promise;
      cancel();
      signal?.removeEventListener('abort', giveUp);
    }
    return (await promise) ? turn : undefined;
  }

  end(turn: Turn): void {
    this.#running.get(turn)?.unwatch();
    if (this.#running.delete(turn)) this.#deal();
  }

  /** Gives turns to waiting calls until none may have one. */
  #deal(): void {
    // A turn that yields ends inside this loop, which then deals it itself.
    if (this.#isDealing) return;
    this.#isDealing = true;
    try {
      let isDealt = true;
      while (isDealt && this.#waiting.size > 0) isDealt = this.#dealOne();
    } finally {
      this.#isDealing = false;
    }
  }

  #dealOne(): boolean {
    const next = nextTurn(this.#max, this.#running.keys(), this.#waiting.keys());
    if (next === undefined) return false;
    if (this.#running.size >= this.#max && !this.#makeRoom()) return false;
    const place = this.#waiting.get(next);
    if (place === undefined) return false;
    this.#waiting.delete(next);
    this.#running.set(next, place);
    place.go();
    return true;
  }

  #makeRoom(): boolean {
    const idle = [...this.#running.keys()].find(({ isIdle }) => isIdle);
    idle?.yield();
    return this.#running.size < this.#max;
  }
}
