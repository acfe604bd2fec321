import type { Events } from '../events.ts';
import type { ContentIndex } from '../index/content-index.ts';
import type { Digest } from '../oci/digest.ts';
import { UpstreamError } from '../upstream/error.ts';
import type { Outcome } from './outcome.ts';
import { isRefusal } from './refusal.ts';
import { tolerate } from './tolerate.ts';

/**
 * Bytes that were found without a row: after the index was lost, nobody knows which repository they belong to. Where
 * upstream cannot be asked, they are served all the same, but only where there is nothing that the asker could not
 * get from upstream as well. docs/adr/0005.
 */
export class Recovered {
  readonly #index: ContentIndex;
  readonly #events: Events;
  readonly #isServed: boolean;

  /** @param isServed whether no upstream has credentials */
  constructor(index: ContentIndex, events: Events, isServed: boolean) {
    this.#index = index;
    this.#events = events;
    this.#isServed = isServed;
  }

  /**
   * How the digest is served although its confirmation has failed with `error`.
   * @throws `error` where it may not be: the digest was not recovered, or upstream has said no
   */
  async outcomeDespite(error: unknown, digest: Digest): Promise<Outcome> {
    if (!this.#isServed || isRefusal(error) || !(error instanceof UpstreamError)) throw error;
    const isRecovered = await tolerate(this.#events, 'look up what was recovered', () =>
      this.#index.isRecovered(digest),
    );
    if (isRecovered !== true) throw error;
    return {
      hit: false,
      fwd: 'stale',
      detail: error.reason,
      warning: `served from the cache without confirmation: ${error.message}`,
    };
  }
}
