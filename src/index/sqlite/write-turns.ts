/** A hundred rows cost a millisecond or two, in an index of a million blobs five: others wait no longer than that. */
const ROWS_PER_TURN = 200;

/**
 * So many rows of one thing are read or changed in one piece. More than a real image has layers (overlayfs takes 127),
 * so that a real image is recorded in one transaction.
 */
export const PIECE = 128;

/**
 * Shares the event loop between the index, whose every statement blocks it, and all else: in one turn of the loop only
 * so many rows are read or changed, over all callers. What comes beyond that waits for a next turn, first come,
 * first served: so a loop over calls of the index lets others in, and need not think of it.
 */
export class WriteTurns {
  #rows = 0;
  /** Whether the end of the turn is being waited for. */
  #isTurning = false;
  readonly #waiting: (() => void)[] = [];

  /** So many rows were read or changed. */
  count(rows: number): void {
    this.#rows += rows;
    if (this.#isTurning) return;
    this.#isTurning = true;
    setImmediate(() => this.#begin());
  }

  /** Does the work at once where this turn has room for it, else in a next one. What it does is not bounded here. */
  take<T>(work: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = (): void => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      };
      if (this.#isFull || this.#waiting.length > 0) this.#waiting.push(run);
      else run();
    });
  }

  get #isFull(): boolean {
    return this.#rows >= ROWS_PER_TURN;
  }

  #begin(): void {
    this.#isTurning = false;
    this.#rows = 0;
    while (!this.#isFull) {
      const run = this.#waiting.shift();
      if (run === undefined) return;
      run();
    }
  }
}
