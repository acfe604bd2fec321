/**
 * Rows that are read or changed in one turn. A hundred rows take one or two milliseconds, or five with a million blobs,
 * so other work waits at most twice as long.
 */
const ROWS_PER_TURN = 200;

/**
 * Rows of one thing that are read or changed in one piece. A real image has fewer layers (overlayfs takes 127), so that
 * it is recorded in one transaction.
 */
export const PIECE = 128;

/**
 * Shares the event loop between the index, whose every statement blocks it, and everything else: in one turn of the
 * loop, all callers together read or change a bounded number of rows. Further calls wait for a later turn, first come,
 * first served. So a loop over calls of the index lets other work run in between, without code of its own for that.
 */
export class WriteTurns {
  #rows = 0;
  /** Whether the end of the turn is awaited. */
  #isTurning = false;
  readonly #waiting: (() => void)[] = [];

  /** Counts rows that were read or changed. */
  count(rows: number): void {
    this.#rows += rows;
    if (this.#isTurning) return;
    this.#isTurning = true;
    setImmediate(() => this.#begin());
  }

  /** Does the work at once if this turn has room for it, else in a later one. Does not bound the work itself. */
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
