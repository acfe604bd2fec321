import type { Clock } from '../../clock.ts';
import { nextTurn, type Standing } from './next-turn.ts';
import type { Demand } from '../upstream.ts';

/** One turn, from when it is waited for until it is over. */
export class Turn implements Standing {
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

  /** Whether another may have it. */
  get isIdle(): boolean {
    return this.client === undefined && this.#yield !== undefined;
  }

  /** @param end ends what the turn is for, and so the turn; at once, where its client has left and another waits */
  mayYield(end: () => void): void {
    this.#yield = end;
    this.#onYieldable();
  }

  yield(): void {
    this.#yield?.();
  }
}

export interface Waiting {
  readonly clock: Clock;
  /** How long a turn is waited for, milliseconds; 0: not at all. */
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
}

interface Place {
  readonly go: () => void;
  readonly unwatch: () => void;
}

/** So many at the same time, and who is next. */
export class FairTurns {
  readonly #max: number;
  readonly #running = new Map<Turn, Place>();
  readonly #waiting = new Map<Turn, Place>();
  #isDealing = false;

  constructor(max: number) {
    this.#max = max;
  }

  /** How many are held or waited for. */
  get size(): number {
    return this.#running.size + this.#waiting.size;
  }

  /** @returns undefined where there was none within `waitMs`, or the signal aborted; else `end` is due when it is over */
  async take(demand: Demand, { clock, waitMs, signal }: Waiting): Promise<Turn | undefined> {
    if (waitMs === 0 && this.#running.size >= this.#max) return undefined;
    // Its client may have left before it could yield: another that waits is not to wait for the next event.
    const turn = new Turn(demand, () => this.#deal());
    const { promise, resolve } = Promise.withResolvers<boolean>();
    // What is no longer waited for by any client may make room.
    const unwatch = demand.watch(() => this.#deal());
    this.#waiting.set(turn, { go: () => resolve(true), unwatch });
    this.#deal();
    if (this.#waiting.has(turn)) {
      const giveUp = (): void => {
        // At once, or a turn could be given to who has gone.
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

  /** Gives turns to those who may have one. */
  #deal(): void {
    // Who yields is dealt with by the loop that made it yield.
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
