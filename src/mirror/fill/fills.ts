import { LRUCache } from 'lru-cache';
import type { Digest } from '../../oci/digest.ts';
import { FillClients } from '../fill-clients.ts';
import { Fill } from './fill.ts';
import type { FillOptions } from './fill-options.ts';
import { flightKey } from '../../async/flights.ts';
import type { Target } from '../target.ts';

/** Digests whose endings are counted: more fills than this do not end while one client waits for the disk. */
const MAX_ENDINGS = 1_000;

/**
 * Running fills, one for each upstream and digest. Upstreams do not share a fill: an upstream that sends a byte a
 * second, or wrong bytes, would hold up the clients of all others.
 */
export class Fills {
  /** The latest fill of each upstream and digest, which clients may board. */
  readonly #boardable = new Map<string, Fill>();
  /** All fills that have not ended, including those that were given up. */
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

  /** Returns the fill to board. Undefined if there is none, it was given up, or the store has refused its bytes. */
  get(upstream: string, digest: Digest): Fill | undefined {
    const fill = this.#boardable.get(flightKey(upstream, digest));
    return fill?.isBoardable === true ? fill : undefined;
  }

  [Symbol.iterator](): IterableIterator<Fill> {
    return this.#boardable.values();
  }

  /**
   * Counts the fills of the digest that have ended, from any upstream. If the number has changed since the store was
   * asked for the digest, the store must be asked again.
   */
  endings(digest: Digest): number {
    return this.#endings.get(digest) ?? 0;
  }

  /** Starts a fill. @param audience already contains the client that the fill is begun for */
  start(target: Target, digest: Digest, audience: FillClients): Fill {
    const fill = this.#start(target, digest, audience, this.#options);
    void fill.ended.then(() => {
      // Tries once more if that may help: this fill's clients were cut off, but the next clients find the right bytes.
      if (fill.isWorthRetrying && !this.#isClosed && this.get(target.key.registry, digest) === undefined) {
        this.#start(target, digest, new FillClients(), { ...this.#options, isRetry: true });
      }
    });
    return fill;
  }

  #start(target: Target, digest: Digest, audience: FillClients, options: FillOptions): Fill {
    const key = flightKey(target.key.registry, digest);
    const fill = new Fill(target, digest, audience, options);
    this.#boardable.set(key, fill);
    this.#unended.add(fill);
    void fill.ended.then(() => {
      this.#unended.delete(fill);
      this.#endings.set(digest, this.endings(digest) + 1);
      // Another fill may have begun since this one was given up.
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
