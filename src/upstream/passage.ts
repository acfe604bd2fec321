import { AsyncLocalStorage } from 'node:async_hooks';
import type { HeaderLines } from '../http/scanner.ts';
import { formatVia, parseVia } from '../http/via.ts';

/** More Larders than this in a row are a circle of some whose ids have changed. */
const MAX_LARDERS = 16;

/**
 * The way of requests through this Larder, by Via. Its upstream may lead back to it, by a mistake in a configuration,
 * directly or through others: then what is asked for waits for itself, up to every deadline.
 *
 * What a request makes (fills and revalidations outlive it, and are shared) carries the request's Via on as its
 * asynchronous context, since the cache in between knows nothing of HTTP.
 */
export class Passage {
  readonly #id: string;
  readonly #before = new AsyncLocalStorage<readonly string[]>();

  /** @param id is no other Larder's, as a random one */
  constructor(id: string) {
    this.#id = id;
  }

  /** Whether a request with this Via has been here before. */
  hasPassed(via: HeaderLines): boolean {
    if (via === undefined) return false;
    const ids = parseVia(via);
    return ids.includes(this.#id) || ids.length > MAX_LARDERS;
  }

  /** Runs what a request with this Via makes. */
  carry<T>(via: HeaderLines, run: () => T): T {
    return this.#before.run(via === undefined ? [] : parseVia(via), run);
  }

  /** The Via of what is asked of an upstream now. */
  get via(): string {
    return formatVia([...(this.#before.getStore() ?? []), this.#id]);
  }
}
