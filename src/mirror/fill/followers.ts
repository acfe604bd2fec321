import type { Clock } from '../../clock.ts';
import type { FillClients } from '../fill-clients.ts';
import { graceMs } from './worth-finishing.ts';

/** Counts the followers of a fill, and waits for a client to come back after all have left. */
export class Followers {
  readonly #audience: FillClients;
  readonly #clock: Clock;
  readonly #onDeserted: () => void;
  #count = 0;
  #isReadInParts = false;
  #isOver = false;
  #cancelGrace: (() => void) | undefined;

  /** @param onDeserted called when no client has come back in time */
  constructor(audience: FillClients, clock: Clock, onDeserted: () => void) {
    this.#audience = audience;
    this.#clock = clock;
    this.#onDeserted = onDeserted;
  }

  get count(): number {
    return this.#count;
  }

  /** Adds a follower. @returns a function to call once, when the client has gone */
  attend(client: string): () => void {
    const leave = this.#audience.enter(client);
    this.#count += 1;
    this.#cancelGrace?.();
    return () => {
      this.#count -= 1;
      leave();
      this.wait();
    };
  }

  /** Notes that a client has asked for a part: it may come back for another, so the fill waits longer from now on. */
  readInParts(): void {
    this.#isReadInParts = true;
    this.wait();
  }

  /** Begins to wait for a client, if none follows. */
  wait(): void {
    if (this.#count > 0) return;
    this.#cancelGrace?.();
    if (!this.#isOver) this.#cancelGrace = this.#clock.after(graceMs(this.#isReadInParts), this.#onDeserted);
  }

  /** Stops waiting for clients: from now on the fill is deserted as soon as no client follows it or is about to. */
  waitNoMore(): void {
    const look = (): void => {
      if (this.#audience.client === undefined && !this.#isOver) this.#onDeserted();
    };
    this.#audience.watch(look);
    look();
  }

  /** Stops waiting, for good. */
  end(): void {
    this.#isOver = true;
    this.#cancelGrace?.();
  }
}
