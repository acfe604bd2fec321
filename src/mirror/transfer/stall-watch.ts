import type { Clock } from '../../clock.ts';

/** Calls back when a reader has waited longer than the limit. Only waiting counts, and only while there is a limit. */
export class StallWatch {
  readonly #clock: Clock;
  readonly #onStall: () => void;
  #limitMs: number | undefined;
  #waitingSince: number | undefined;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, onStall: () => void) {
    this.#clock = clock;
    this.#onStall = onStall;
  }

  /** Sets the limit, also for a wait that has begun already. @param limitMs undefined: none */
  limit(limitMs: number | undefined): void {
    this.#limitMs = limitMs;
    this.#arm();
  }

  begin(): void {
    this.#waitingSince = this.#clock.monotonic();
    this.#arm();
  }

  end(): void {
    this.#waitingSince = undefined;
    this.#arm();
  }

  #arm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#waitingSince === undefined || this.#limitMs === undefined) return;
    const leftMs = this.#waitingSince + this.#limitMs - this.#clock.monotonic();
    this.#cancel = this.#clock.after(Math.max(0, leftMs), this.#onStall);
  }
}
