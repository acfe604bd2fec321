/** A body that is larger than most documents ever are. */
export const LARGE_BYTES = 256 * 1024;

/** So many of one upstream, of up to 64 MiB each (quirks.ts). */
const AT_ONCE = 4;

/**
 * The large bodies of one upstream that are in memory: a few at a time. What comes beyond that stays in its socket. For
 * each upstream by itself, so that one that drips keeps only its own waiting.
 */
export class LargeBodies {
  #held = 0;
  readonly #waiting: (() => void)[] = [];

  /** How many are in memory. */
  get held(): number {
    return this.#held;
  }

  /** @returns the place of one, to be disposed of when its bytes are used no more */
  async hold(): Promise<Disposable> {
    if (this.#held >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#held += 1;
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (isHeld) this.#giveBack();
        isHeld = false;
      },
    };
  }

  /** To the one that has waited longest, where one does. */
  #giveBack(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#held -= 1;
    else next();
  }
}
