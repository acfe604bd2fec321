import { LRUCache } from 'lru-cache';
import type { Digest } from '../../oci/digest.ts';
import { Audience } from '../audience.ts';
import { Fill } from './fill.ts';
import type { FillOptions } from './fill-options.ts';
import { flightKey } from '../../async/flights.ts';
import type { Target } from '../target.ts';

/** More fills do not end while one client waits for the disk. */
const MAX_ENDINGS = 1_000;

/**
 * Running fills, one for each upstream and digest. Not one for all upstreams that have the digest: one that sends a
 * byte a second, or wrong bytes, would have the clients of all others in its hand.
 */
export class Fills {
  /** The fill of each upstream and digest that clients may board. */
  readonly #boardable = new Map<string, Fill>();
  /** Those that were given up, but have not ended yet, too. */
  readonly #unended = new Set<Fill>();
  readonly #endings = new LRUCache<Digest, number>({ max: MAX_ENDINGS });
  readonly #options: FillOptions;
  #isClosed = false;

  constructor(options: FillOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#boardable.size;
  }

  /** The fill to board, where there is one: not one that has been given up, or that the store does not take. */
  get(upstream: string, digest: Digest): Fill | undefined {
    const fill = this.#boardable.get(flightKey(upstream, digest));
    return fill?.isBoardable === true ? fill : undefined;
  }

  [Symbol.iterator](): IterableIterator<Fill> {
    return this.#boardable.values();
  }

  /**
   * Changes when a fill of the digest has ended, from whichever upstream: what the store was asked before that has to
   * be asked again.
   */
  endings(digest: Digest): number {
    return this.#endings.get(digest) ?? 0;
  }

  /** @param audience the client that it is begun for is in it already */
  start(target: Target, digest: Digest, audience: Audience): Fill {
    const fill = this.#start(target, digest, audience, this.#options);
    void fill.ended.then(() => {
      // Once, and only where it may help: the clients have been cut, but the next ones find the right bytes.
      if (fill.isToBeginAnew && !this.#isClosed && this.get(target.key.registry, digest) === undefined) {
        this.#start(target, digest, new Audience(), { ...this.#options, isAgain: true });
      }
    });
    return fill;
  }

  #start(target: Target, digest: Digest, audience: Audience, options: FillOptions): Fill {
    const key = flightKey(target.key.registry, digest);
    const fill = new Fill(target, digest, audience, options);
    this.#boardable.set(key, fill);
    this.#unended.add(fill);
    void fill.ended.then(() => {
      this.#unended.delete(fill);
      this.#endings.set(digest, this.endings(digest) + 1);
      // Another one may have begun since this was given up.
      if (this.#boardable.get(key) === fill) this.#boardable.delete(key);
    });
    return fill;
  }

  /** Ends every fill, and resolves when all have ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const fills = [...this.#unended];
    for (const fill of fills) fill.cancel();
    await Promise.all(fills.map((fill) => fill.ended));
  }
}
