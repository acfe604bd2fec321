/** How often a transfer may break without a byte of progress since the last break. */
const MAX_BREAKS_WITHOUT_PROGRESS = 5;
/** How often one transfer is taken up again in all. */
const MAX_BREAKS = 20;
const FIRST_WAIT_MS = 500;
/**
 * How long clients are kept waiting for the next byte, once a transfer has been taken up again in vain: who stalls
 * costs a whole deadline each time, and a client that is told can go elsewhere.
 */
const MAX_SILENCE_MS = 60_000;

/** How long a transfer that breaks is taken up again. */
export class Patience {
  #breaks = 0;
  #withoutProgress = 0;

  broke(hasProgressed: boolean): void {
    this.#breaks += 1;
    this.#withoutProgress = hasProgressed ? 0 : this.#withoutProgress + 1;
  }

  /** What the breaks were counted against is out of the way. */
  forgive(): void {
    this.#withoutProgress = 0;
  }

  /** How often every one of so many places was asked in vain since the last byte. */
  roundsInVain(places: number): number {
    return Math.floor(this.#withoutProgress / places);
  }

  /** @param silentMs since when the next byte is waited for */
  isAtAnEnd(places: number, silentMs: number): boolean {
    return (
      this.#breaks > MAX_BREAKS ||
      this.roundsInVain(places) >= MAX_BREAKS_WITHOUT_PROGRESS ||
      (this.#withoutProgress > 0 && silentMs >= MAX_SILENCE_MS)
    );
  }

  /** At once while a place is left to try; else twice as long each time: an upstream that restarts is back in seconds. */
  waitMs(places: number): number {
    const rounds = this.roundsInVain(places);
    return rounds === 0 ? 0 : FIRST_WAIT_MS * 2 ** (rounds - 1);
  }
}
