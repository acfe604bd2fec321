import type { Clock } from '../../clock.ts';

/** How long a server is remembered, in milliseconds: it may be changed meanwhile. */
const REMEMBERED_MS = 10 * 60_000;

/** Most servers that are remembered. */
const MOST = 1_000;

/** The origins whose answers are not of the simplest form: the reader is not tried there for a while. */
export class Misfits {
  readonly #clock: Clock;
  readonly #until = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(origin: string): void {
    const [oldest] = this.#until.keys();
    if (this.#until.size >= MOST && oldest !== undefined) this.#until.delete(oldest);
    this.#until.set(origin, this.#clock.monotonic() + REMEMBERED_MS);
  }

  has(origin: string): boolean {
    const until = this.#until.get(origin);
    if (until === undefined) return false;
    if (this.#clock.monotonic() < until) return true;
    this.#until.delete(origin);
    return false;
  }
}
