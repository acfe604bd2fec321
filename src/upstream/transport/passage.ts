import { AsyncLocalStorage } from 'node:async_hooks';
import type { HeaderLines } from '../../http/scanner.ts';
import { formatVia, parseVia } from '../../http/via.ts';

/** Most Larders that a Larder names in Via, so a request that names more does not come from a Larder. */
const MAX_LARDERS = 16;

/**
 * Detects requests that come back to this Larder, by Via. By a mistake in a configuration, its upstream may lead back
 * to it, directly or through other mirrors: then a fill waits for itself until a deadline ends it.
 *
 * Fills and revalidations outlive the request that starts them, and are shared. They keep the request's Via in their
 * asynchronous context, since the cache in between knows nothing of HTTP.
 */
export class Passage {
  readonly #id: string;
  readonly #before = new AsyncLocalStorage<readonly string[]>();

  /** @param id a name that no other Larder has, such as a random one */
  constructor(id: string) {
    this.#id = id;
  }

  /** Whether a request with this Via has passed this Larder before. */
  hasPassed(via: HeaderLines): boolean {
    if (via === undefined) return false;
    const ids = parseVia(via);
    return ids.includes(this.#id) || ids.length > MAX_LARDERS;
  }

  /** Runs a request's work, whose requests to upstreams then continue this Via. */
  carry<T>(via: HeaderLines, run: () => T): T {
    return this.#before.run(via === undefined ? [] : parseVia(via), run);
  }

  /**
   * The Via of a request to an upstream. It names only the last Larders of a long row, this one included: other clients
   * may wait for the same answer, so no client may turn it into a refusal by naming many Larders. A loop is still
   * detected, since the names left out came before it; only a loop through more Larders than these ends by deadlines.
   */
  get via(): string {
    return formatVia([...(this.#before.getStore() ?? []), this.#id].slice(-MAX_LARDERS));
  }
}
