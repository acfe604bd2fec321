const KiB = 1024;

/** What the buffers of all bodies come to, as long as there are no more bodies than shares of the least size in it. */
const TOTAL = 8 * KiB * KiB;
/** Below it, a system call costs more than the bytes it moves. */
const LEAST = 64 * KiB;
/** Above it, bytes leave the processor's caches before they are sent. */
const MOST = 512 * KiB;

/** Gives each body on its way its share of memory: a large one while there are few, a small one while there are many. */
export class BufferShares {
  #bodies = 0;

  /** How many bodies have theirs. */
  get taken(): number {
    return this.#bodies;
  }

  /** @returns the share of one body more; to be disposed of when it has been sent */
  take(): BufferShare {
    this.#bodies += 1;
    return new BufferShare(shareOf(this.#bodies), () => {
      this.#bodies -= 1;
    });
  }
}

/** How large the buffers of one body are. */
export class BufferShare implements Disposable {
  readonly bytes: number;
  readonly #giveBack: () => void;

  constructor(bytes: number, giveBack: () => void) {
    this.bytes = bytes;
    this.#giveBack = giveBack;
  }

  [Symbol.dispose](): void {
    this.#giveBack();
  }
}

/** Bytes, in whole multiples of the least. */
export function shareOf(bodies: number): number {
  const share = Math.trunc(TOTAL / bodies / LEAST) * LEAST;
  return Math.min(MOST, Math.max(LEAST, share));
}
