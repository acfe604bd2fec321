/** Counts the rows that were read or changed in the fullest turn of the event loop. */
export class FullestTurn {
  #rows = 0;
  #isCounting = false;
  most = 0;

  readonly count = (rows: number): void => {
    this.#rows += rows;
    this.most = Math.max(this.most, this.#rows);
    if (this.#isCounting) return;
    this.#isCounting = true;
    setImmediate(() => {
      this.#isCounting = false;
      this.#rows = 0;
    });
  };
}
