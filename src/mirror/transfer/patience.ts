/** Number of rounds through all places without a byte after which a transfer is at an end. */
const MAX_ROUNDS_IN_VAIN = 5;
/** Number of times that one transfer is taken up again in all. */
const MAX_BREAKS = 20;
const FIRST_WAIT_MS = 500;
/**
 * How long clients wait for the next byte, once a transfer has been taken up again in vain: an upstream that stalls
 * costs a whole deadline each time, and a client that gets an error can go elsewhere.
 */
const MAX_SILENCE_MS = 60_000;

/** Decides how long a transfer that breaks is taken up again. */
export class Patience {
  #breaks = 0;
  #withoutProgress = 0;

  broke(hasProgressed: boolean): void {
    this.#breaks += 1;
    this.#withoutProgress = hasProgressed ? 0 : this.#withoutProgress + 1;
  }

  /** Forgets the breaks without progress: the place that caused them was dropped. */
  forgive(): void {
    this.#withoutProgress = 0;
  }

  /** Number of rounds through all places in vain since the last byte. */
  roundsInVain(places: number): number {
    return Math.floor(this.#withoutProgress / places);
  }

  /** Whether the transfer is given up. @param silentMs for how long the next byte has been waited for */
  isAtAnEnd(places: number, silentMs: number): boolean {
    return (
      this.#breaks > MAX_BREAKS ||
      this.roundsInVain(places) >= MAX_ROUNDS_IN_VAIN ||
      (this.#withoutProgress > 0 && silentMs >= MAX_SILENCE_MS)
    );
  }

  /** Milliseconds to wait: 0 while a place is left to try; then twice as long each round, as restarts take seconds. */
  waitMs(places: number): number {
    const rounds = this.roundsInVain(places);
    return rounds === 0 ? 0 : FIRST_WAIT_MS * 2 ** (rounds - 1);
  }
}
