import { LRUCache } from 'lru-cache';
import type { Events } from '../../events.ts';
import type { ServedSource } from '../../index/belonging-source.ts';
import type { RepositoryKey } from '../../index/repository-key.ts';
import type { Digest } from '../../oci/digest.ts';
import { flightKey } from '../../async/flights.ts';
import type { NegativeCache } from '../negative.ts';
import type { BelongingIndex } from '../../index/belonging-index.ts';
import type { RememberedBelongings } from '../../index/remembering-index.ts';
import { tolerate } from '../../content/tolerate.ts';

/** A fact that the index has not taken, or not yet. */
interface Unrecorded {
  readonly source: ServedSource;
  isBeingWritten: boolean;
}

/** Facts kept that the index could not take. */
const MAX_UNRECORDED = 50_000;

/**
 * Which digests are known to belong to which repository in a way that is served. Bytes are shared across repositories,
 * permission is not: without this a private layer could be read through any repository whose name one may use.
 */
export class Belonging {
  readonly #unrecorded = new LRUCache<string, Unrecorded>({ max: MAX_UNRECORDED });
  readonly #index: BelongingIndex & RememberedBelongings;
  readonly #events: Events;
  readonly #onAdded: (upstream: string) => void;
  readonly #negative: Pick<NegativeCache, 'disprove'>;

  /** @param onAdded told of each digest that is served from now on, by its upstream: other claims may wait since then */
  constructor(
    index: BelongingIndex & RememberedBelongings,
    events: Events,
    negative: Pick<NegativeCache, 'disprove'>,
    onAdded: (upstream: string) => void = () => {},
  ) {
    this.#onAdded = onAdded;
    this.#index = index;
    this.#events = events;
    this.#negative = negative;
  }

  /** Whether it is known at once, without I/O. Where it is not, `has` may still know it. */
  isRemembered(key: RepositoryKey, digest: Digest): boolean {
    return this.#index.remembersBelonging(key, digest) || this.#unrecorded.has(factKey(key, digest));
  }

  async has(key: RepositoryKey, digest: Digest): Promise<boolean> {
    if (this.isRemembered(key, digest)) return true;
    const belongs = await tolerate(this.#events, 'look up a belonging', () =>
      this.#index.belongs(key, digest),
    );
    return belongs === true;
  }

  /** Forgets what is known here alone: something was deleted from the index. */
  forget(): void {
    this.#unrecorded.clear();
  }

  /**
   * The digest belongs to the repository, in a way that is served. That the index cannot take it changes nothing of that:
   * the next call for the same fact writes it again.
   */
  async add(key: RepositoryKey, digest: Digest, source: ServedSource): Promise<void> {
    this.#negative.disprove(key, digest);
    const failed = this.#unrecorded.get(factKey(key, digest));
    // That the bytes were given says more than that they belong: of their upstream.
    const saysNoMore = source === 'confirmed';
    if (saysNoMore && (failed?.isBeingWritten ?? this.#index.remembersBelonging(key, digest))) return;
    await this.#record(key, digest, saysNoMore && failed !== undefined ? failed.source : source);
    this.#onAdded(key.registry);
  }

  async #record(key: RepositoryKey, digest: Digest, source: ServedSource): Promise<void> {
    const fact = factKey(key, digest);
    const unrecorded: Unrecorded = { source, isBeingWritten: true };
    // At once, and not only when it is written: what was asked meanwhile would be asked of upstream.
    this.#unrecorded.set(fact, unrecorded);
    const isRecorded = await tolerate(this.#events, 'record a belonging', async () => {
      await this.#index.putBelonging(key, digest, source);
      return true;
    });
    unrecorded.isBeingWritten = false;
    // Another call may have more to write, and may have failed to.
    if (isRecorded === true && this.#unrecorded.peek(fact) === unrecorded) this.#unrecorded.delete(fact);
  }

  /**
   * The upstream has given the bytes, but through none of its repositories alone: none has the digest by that. For each,
   * upstream's word is enough from now on.
   */
  async addOrigin(upstream: string, digest: Digest): Promise<void> {
    await tolerate(this.#events, 'record an origin', () => this.#index.putOrigin(upstream, digest));
    this.#onAdded(upstream);
  }
}

function factKey(key: RepositoryKey, digest: Digest): string {
  return flightKey(key.registry, key.repository, digest);
}
