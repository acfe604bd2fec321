/** Bytes from which a body counts as large: few documents ever have more. */
export const LARGE_BYTES = 256 * 1024;

/** Most large bodies of one upstream in memory, of up to 64 MiB each (quirks.ts). */
const AT_ONCE = 4;

/**
 * Limits how many large bodies of one upstream are in memory at a time; the bytes of others stay in their sockets. Each
 * upstream has a limit of its own, so that a slow upstream delays only its own requests.
 */
export class LargeBodies {
  #held = 0;
  readonly #waiting: (() => void)[] = [];

  /** Number of large bodies in memory. */
  get held(): number {
    return this.#held;
  }

  /** Waits for a place in memory. @returns the place: the caller must dispose of it when it needs the bytes no more */
  async hold(): Promise<Disposable> {
    if (this.#held >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#held += 1;
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (isHeld) this.#release();
        isHeld = false;
      },
    };
  }

  /** Passes the place to the request that has waited longest, if any waits. */
  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#held -= 1;
    else next();
  }
}
