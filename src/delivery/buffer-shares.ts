const KiB = 1024;

/** Bytes of the buffers of all bodies together, unless there are so many bodies that each has the least share. */
const TOTAL = 8 * KiB * KiB;
/** Least share in bytes: below it, a system call costs more than the bytes it moves. */
const LEAST = 64 * KiB;
/** Largest share in bytes: above it, bytes leave the processor's caches before they are sent. */
const MOST = 512 * KiB;

/** Gives each body that is being sent a share of memory: a large one while there are few bodies, else a small one. */
export class BufferShares {
  #bodies = 0;

  /** Number of bodies that have a share. */
  get taken(): number {
    return this.#bodies;
  }

  /** Takes a share for one more body. @returns the share: the caller must dispose of it when the body has been sent */
  take(): BufferShare {
    this.#bodies += 1;
    return new BufferShare(shareOf(this.#bodies), () => {
      this.#bodies -= 1;
    });
  }
}

/** The share of one body: the size of its buffers. */
export class BufferShare implements Disposable {
  readonly bytes: number;
  readonly #release: () => void;

  constructor(bytes: number, release: () => void) {
    this.bytes = bytes;
    this.#release = release;
  }

  [Symbol.dispose](): void {
    this.#release();
  }
}

/** Returns the bytes of one share among `bodies`: a whole multiple of the least share. */
export function shareOf(bodies: number): number {
  const share = Math.trunc(TOTAL / bodies / LEAST) * LEAST;
  return Math.min(MOST, Math.max(LEAST, share));
}
