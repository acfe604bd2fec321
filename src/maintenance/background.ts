import type { Events } from '../events.ts';
import type { LocalMaintenance } from './local-maintenance.ts';
import type { VerifySchedule } from './schedule.ts';

export interface BackgroundOptions {
  readonly maintenance: Pick<LocalMaintenance, 'reconcile'>;
  readonly events: Events;
  /** Undefined: nothing is verified in the background. */
  readonly schedule: VerifySchedule | undefined;
}

/**
 * What a server does for its cache beside serving: it reconciles index and disk at the start and when a damaged index
 * was replaced, and then verifies the store as often as it is to.
 */
export class Background {
  readonly #options: BackgroundOptions;
  readonly #ending = new AbortController();
  readonly #unsubscribe: () => void;
  #running: Promise<void> | undefined;
  #isAskedAgain = false;

  constructor(options: BackgroundOptions) {
    this.#options = options;
    this.#unsubscribe = options.events.subscribe((event) => {
      if (event.kind === 'index-replaced') this.#reconcile();
    });
  }

  start(): void {
    this.#reconcile();
    void this.#running?.then(() => {
      if (!this.#ending.signal.aborted) this.#options.schedule?.start();
    });
  }

  /** Breaks off what runs; the next start does it again. */
  async close(): Promise<void> {
    this.#unsubscribe();
    this.#ending.abort();
    await this.#running;
    await this.#options.schedule?.close();
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
      await this.#options.maintenance.reconcile(this.#ending.signal);
    }
  }
}
