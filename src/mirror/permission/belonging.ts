import { LRUCache } from 'lru-cache';
import type { Events } from '../../events.ts';
import type { ServedSource } from '../../index/belonging-source.ts';
import type { RepositoryKey } from '../../index/repository-key.ts';
import type { Digest } from '../../oci/digest.ts';
import { flightKey } from '../../async/flights.ts';
import type { NegativeCache } from '../negative-cache.ts';
import type { BelongingIndex } from '../../index/belonging-index.ts';
import type { RememberedBelongings } from '../../index/decorators/remembering-index.ts';
import { tolerate } from '../../tolerate.ts';

/** A belonging that the index has not recorded, or not yet. */
interface Unrecorded {
  readonly source: ServedSource;
  isBeingWritten: boolean;
}

/** Greatest number of belongings in memory that the index could not record. */
const MAX_UNRECORDED = 50_000;

/**
 * Knows which digests may be served for which repository. Bytes are shared across repositories, permission is not:
 * otherwise a client could read a private layer through any repository that it may use.
 */
export class Belonging {
  readonly #unrecorded = new LRUCache<string, Unrecorded>({ max: MAX_UNRECORDED });
  readonly #index: BelongingIndex & RememberedBelongings;
  readonly #events: Events;
  readonly #onAdded: (upstream: string) => void;
  readonly #negative: Pick<NegativeCache, 'disprove'>;

  /**
   * @param onAdded called with the upstream of each new belonging: from then on, claims may wait for that upstream's
   * word
   */
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

  /** Whether the belonging is known at once, without I/O. If not, `has` may still find it. */
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

  /** Forgets the belongings that only memory has, since content was deleted from the index. */
  forget(): void {
    this.#unrecorded.clear();
  }

  /**
   * Records that the digest may be served for the repository. This holds even if the index cannot record it: the next
   * call for the same belonging writes it again.
   */
  async add(key: RepositoryKey, digest: Digest, source: ServedSource): Promise<void> {
    this.#negative.disprove(key, digest);
    const failed = this.#unrecorded.get(factKey(key, digest));
    // `given` says more than `confirmed`: that this upstream itself has given the bytes.
    const saysNoMore = source === 'confirmed';
    if (saysNoMore && (failed?.isBeingWritten ?? this.#index.remembersBelonging(key, digest))) return;
    await this.#record(key, digest, saysNoMore && failed !== undefined ? failed.source : source);
    this.#onAdded(key.registry);
  }

  async #record(key: RepositoryKey, digest: Digest, source: ServedSource): Promise<void> {
    const fact = factKey(key, digest);
    const unrecorded: Unrecorded = { source, isBeingWritten: true };
    // It counts at once, before it is written: otherwise requests meanwhile would ask upstream.
    this.#unrecorded.set(fact, unrecorded);
    const isRecorded = await tolerate(this.#events, 'record a belonging', async () => {
      await this.#index.putBelonging(key, digest, source);
      return true;
    });
    unrecorded.isBeingWritten = false;
    // Another call may have had more to record, and may have failed.
    if (isRecorded === true && this.#unrecorded.peek(fact) === unrecorded) this.#unrecorded.delete(fact);
  }

  /**
   * Records that the upstream has given the bytes, but not all through one repository. So the digest is not recorded as
   * given for any of them; but for each, upstream's word is enough from now on.
   */
  async addOrigin(upstream: string, digest: Digest): Promise<void> {
    await tolerate(this.#events, 'record an origin', () => this.#index.putOrigin(upstream, digest));
    this.#onAdded(upstream);
  }
}

function factKey(key: RepositoryKey, digest: Digest): string {
  return flightKey(key.registry, key.repository, digest);
}
