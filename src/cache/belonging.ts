import { LRUCache } from 'lru-cache';
import type { Events } from '../events.ts';
import type { ContentIndex, RepositoryKey } from '../index/content-index.ts';
import type { Digest } from '../oci/digest.ts';
import { flightKey } from './flights.ts';
import { tolerate } from './tolerate.ts';

/** Facts kept in memory in front of the index. */
const MAX_REMEMBERED = 50_000;

/**
 * Which digests are known to belong to which repository. Bytes are shared across repositories, permission is
 * not: without this a private layer could be read through any repository whose name one may use.
 */
export class Belonging {
  readonly #known = new LRUCache<string, true>({ max: MAX_REMEMBERED });
  readonly #index: ContentIndex;
  readonly #events: Events;
  #generation = 0;

  constructor(index: ContentIndex, events: Events) {
    this.#index = index;
    this.#events = events;
  }

  async has(key: RepositoryKey, digest: Digest): Promise<boolean> {
    const fact = factKey(key, digest);
    if (this.#known.get(fact) === true) return true;
    const generation = this.#generation;
    const belongs = await tolerate(this.#events, 'look up a belonging', () =>
      this.#index.belongs(key, digest),
    );
    // What was read before something was deleted is not remembered after it.
    if (belongs === true && generation === this.#generation) this.#known.set(fact, true);
    return belongs === true;
  }

  /** Forgets what is in memory: something was deleted from the index. */
  forget(): void {
    this.#generation += 1;
    this.#known.clear();
  }

  /** Upstream has confirmed the digest for the repository. */
  async add(key: RepositoryKey, digest: Digest): Promise<void> {
    const fact = factKey(key, digest);
    if (this.#known.get(fact) === true) return;
    this.#known.set(fact, true);
    await tolerate(this.#events, 'record a belonging', () => this.#index.putBelonging(key, digest));
  }
}

function factKey(key: RepositoryKey, digest: Digest): string {
  return flightKey(key.upstream, key.repository, digest);
}
