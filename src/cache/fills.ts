import type { Digest } from '../oci/digest.ts';
import { Fill, type FillOptions } from './fill.ts';
import { flightKey } from './flights.ts';
import type { Target } from './target.ts';

/**
 * Running fills, one for each upstream and digest. Not one for all upstreams that have the digest: one that sends a
 * byte a second, or wrong bytes, would have the clients of all others in its hand.
 */
export class Fills {
  /** The fill of each upstream and digest that clients may board. */
  readonly #boardable = new Map<string, Fill>();
  /** Those that were given up, but have not ended yet, too. */
  readonly #unended = new Set<Fill>();
  readonly #options: FillOptions;

  constructor(options: FillOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#boardable.size;
  }

  /** The fill to board, where there is one: not one that has been given up. */
  get(upstream: string, digest: Digest): Fill | undefined {
    const fill = this.#boardable.get(flightKey(upstream, digest));
    return fill?.isCancelled === true ? undefined : fill;
  }

  [Symbol.iterator](): IterableIterator<Fill> {
    return this.#boardable.values();
  }

  start(target: Target, digest: Digest): Fill {
    const key = flightKey(target.key.upstream, digest);
    const fill = new Fill(target, digest, this.#options);
    this.#boardable.set(key, fill);
    this.#unended.add(fill);
    void fill.ended.then(() => {
      this.#unended.delete(fill);
      // Another one may have begun since this was given up.
      if (this.#boardable.get(key) === fill) this.#boardable.delete(key);
    });
    return fill;
  }

  /** Ends every fill, and resolves when all have ended. */
  async close(): Promise<void> {
    const fills = [...this.#unended];
    for (const fill of fills) fill.cancel();
    await Promise.all(fills.map((fill) => fill.ended));
  }
}
