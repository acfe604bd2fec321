import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { ContentIndex } from '../index/content-index.ts';
import type { Digest } from '../oci/digest.ts';
import { tolerate } from './tolerate.ts';

const FLUSH_AFTER_MS = 5_000;
const FLUSH_AT_ENTRIES = 10_000;

/**
 * When each digest was last used. Buffered, so that a hit writes nothing: flushed to the index a few seconds
 * after the first use, or when many have come together. A crash loses seconds of recency, no more.
 */
export class LastUse {
  #uses = new Map<Digest, number>();
  #cancelFlush: (() => void) | undefined;
  readonly #index: ContentIndex;
  readonly #clock: Clock;
  readonly #events: Events;

  constructor(index: ContentIndex, clock: Clock, events: Events) {
    this.#index = index;
    this.#clock = clock;
    this.#events = events;
  }

  record(digest: Digest): void {
    this.#uses.set(digest, this.#clock.now());
    if (this.#uses.size >= FLUSH_AT_ENTRIES) void this.flush();
    else this.#cancelFlush ??= this.#clock.after(FLUSH_AFTER_MS, () => void this.flush());
  }

  async flush(): Promise<void> {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    if (this.#uses.size === 0) return;
    const uses = this.#uses;
    this.#uses = new Map();
    await tolerate(this.#events, 'record last use', () => this.#index.touch(uses));
  }
}
