/** How long a sync may take: `quick` ones have little to write, `long` ones may have to write many megabytes. */
export type SyncLength = 'quick' | 'long';

/** Quick syncs that may go before a long one that waits. */
const QUICK_BEFORE_LONG = 8;

/**
 * Lets a limited number of syncs run at once. A client waits for its manifest until that is synced, and never for a
 * blob. So a quick sync does not wait for long ones: it goes first, and one turn is kept for it if there are several.
 */
export class SyncTurns {
  readonly #atOnce: number;
  readonly #waiting: Readonly<Record<SyncLength, (() => void)[]>> = { quick: [], long: [] };
  readonly #running: Record<SyncLength, number> = { quick: 0, long: 0 };
  /** Quick syncs that have begun since a long one has waited for its turn. */
  #passed = 0;

  /** @param atOnce maximum number of syncs that run */
  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Whether no sync runs or waits. */
  get isIdle(): boolean {
    const { quick, long } = this.#running;
    return quick + long + this.#waiting.quick.length + this.#waiting.long.length === 0;
  }

  /** Runs a sync in its turn. @returns what it returns */
  async run<T>(length: SyncLength, sync: () => Promise<T>): Promise<T> {
    await new Promise<void>((begin) => {
      this.#waiting[length].push(begin);
      this.#beginNext();
    });
    try {
      return await sync();
    } finally {
      this.#running[length] -= 1;
      this.#beginNext();
    }
  }

  #beginNext(): void {
    const length = this.#nextLength();
    if (length === undefined) return;
    if (length === 'long' || this.#waiting.long.length === 0) this.#passed = 0;
    else this.#passed += 1;
    this.#running[length] += 1;
    this.#waiting[length].shift()?.();
  }

  #nextLength(): SyncLength | undefined {
    const { quick, long } = this.#running;
    if (quick + long >= this.#atOnce) return undefined;
    const isLongDue = this.#waiting.long.length > 0 && long < Math.max(1, this.#atOnce - 1);
    const isQuickDue = this.#waiting.quick.length > 0;
    if (isLongDue && (!isQuickDue || this.#passed >= QUICK_BEFORE_LONG)) return 'long';
    return isQuickDue ? 'quick' : undefined;
  }
}
