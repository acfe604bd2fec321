import { AsyncLocalStorage } from 'node:async_hooks';
import type { HeaderLines } from '../../http/scanner.ts';
import { formatVia, parseVia } from '../../http/via.ts';

/** More than this no Larder tells of, so a request that names more comes from something else. */
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

  /**
   * The Via of what is asked of an upstream now. Of a long row only the last are told, this one included: others may
   * wait for the same answer, so no client may make it a refusal by what it says it has come through. What comes back
   * is still known, since what is left out was before the circle: only one of more than these ends by deadlines instead.
   */
  get via(): string {
    return formatVia([...(this.#before.getStore() ?? []), this.#id].slice(-MAX_LARDERS));
  }
}
