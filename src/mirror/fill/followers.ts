import type { Clock } from '../../clock.ts';
import type { Audience } from '../audience.ts';
import { graceMs } from './worth-finishing.ts';

/** Who follows a fill now, and how long it waits when all of them have left. */
export class Followers {
  readonly #audience: Audience;
  readonly #clock: Clock;
  readonly #onDeserted: () => void;
  #count = 0;
  #isReadInParts = false;
  #isOver = false;
  #cancelGrace: (() => void) | undefined;

  /** @param onDeserted is called when no client has come back in time */
  constructor(audience: Audience, clock: Clock, onDeserted: () => void) {
    this.#audience = audience;
    this.#clock = clock;
    this.#onDeserted = onDeserted;
  }

  get count(): number {
    return this.#count;
  }

  /** @returns what is to be called, once, when the client has gone */
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

  /** A client asks for a part: it may come back for another one, and is waited for longer from now on. */
  readInParts(): void {
    this.#isReadInParts = true;
    this.wait();
  }

  /** Begins to wait for a client, where there is none. */
  wait(): void {
    if (this.#count > 0) return;
    this.#cancelGrace?.();
    if (!this.#isOver) this.#cancelGrace = this.#clock.after(graceMs(this.#isReadInParts), this.#onDeserted);
  }

  /** From now on it is over as soon as no client follows, or is about to. */
  waitNoMore(): void {
    const look = (): void => {
      if (this.#audience.client === undefined && !this.#isOver) this.#onDeserted();
    };
    this.#audience.watch(look);
    look();
  }

  /** Nothing is waited for any more. */
  end(): void {
    this.#isOver = true;
    this.#cancelGrace?.();
  }
}
