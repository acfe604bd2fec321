import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { Upkeep } from './upkeep.ts';
import type { VerifySchedule } from './verify-schedule.ts';

export interface BackgroundOptions {
  readonly upkeep: Pick<Upkeep, 'reconcile' | 'forget'>;
  readonly clock: Clock;
  readonly events: Events;
  /** Undefined: nothing is verified in the background. */
  readonly schedule: VerifySchedule | undefined;
}

/** Interval between searches for rows that have outlived their bytes. */
const FORGET_EVERY_MS = 24 * 3_600_000;

/**
 * Does a server's upkeep of its cache: reconciles index and disk at the start and when a damaged index was replaced,
 * then forgets, once a day, rows that have outlived their bytes, and verifies the store on its schedule.
 */
export class Background {
  readonly #options: BackgroundOptions;
  readonly #ending = new AbortController();
  readonly #unsubscribe: () => void;
  #running: Promise<void> | undefined;
  #isAskedAgain = false;
  #forgetting: Promise<void> | undefined;
  #cancelForget: (() => void) | undefined;

  constructor(options: BackgroundOptions) {
    this.#options = options;
    this.#unsubscribe = options.events.subscribe((event) => {
      if (event.kind === 'index-replaced') this.#reconcile();
    });
  }

  start(): void {
    this.#reconcile();
    void this.#running?.then(() => {
      if (this.#ending.signal.aborted) return;
      this.#options.schedule?.start();
      this.#forget();
    });
  }

  /** Breaks off what is running; the next start does it again. */
  async close(): Promise<void> {
    this.#unsubscribe();
    this.#ending.abort();
    this.#cancelForget?.();
    await this.#running;
    await this.#forgetting;
    await this.#options.schedule?.close();
  }

  #forget(): void {
    const { upkeep, clock } = this.#options;
    this.#forgetting = upkeep.forget(this.#ending.signal);
    this.#cancelForget = clock.after(FORGET_EVERY_MS, () => this.#forget());
  }

  #reconcile(): void {
    this.#isAskedAgain = true;
    this.#running ??= this.#reconcileWhileAsked().finally(() => {
      this.#running = undefined;
    });
  }

  async #reconcileWhileAsked(): Promise<void> {
    while (this.#isAskedAgain && !this.#ending.signal.aborted) {
      this.#isAskedAgain = false;
      await this.#options.upkeep.reconcile(this.#ending.signal);
    }
  }
}
