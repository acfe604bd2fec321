import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { BlobIndex } from '../index/blob-index.ts';
import type { Digest } from '../oci/digest.ts';
import { tolerate } from '../content/tolerate.ts';

const FLUSH_AFTER_MS = 5_000;
const FLUSH_AT_ENTRIES = 10_000;

/**
 * When each digest was last used. Buffered, so that a hit writes nothing: flushed to the index a few seconds
 * after the first use, or when many have come together. A crash loses seconds of recency, no more.
 */
export class LastUse {
  #uses = new Map<Digest, number>();
  #cancelFlush: (() => void) | undefined;
  /** Writes that are under way. */
  readonly #writes = new Set<Promise<void>>();
  readonly #index: BlobIndex;
  readonly #clock: Clock;
  readonly #events: Events;

  constructor(index: BlobIndex, clock: Clock, events: Events) {
    this.#index = index;
    this.#clock = clock;
    this.#events = events;
  }

  record(digest: Digest): void {
    this.#uses.set(digest, this.#clock.now());
    if (this.#uses.size >= FLUSH_AT_ENTRIES) void this.flush();
    else this.#cancelFlush ??= this.#clock.after(FLUSH_AFTER_MS, () => void this.flush());
  }

  /**
   * Resolves when all uses so far are in the index, those that an earlier call is still writing as well: an eviction
   * would else take what was used a moment ago for what was not used for long.
   */
  async flush(): Promise<void> {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    if (this.#uses.size > 0) this.#write();
    await Promise.all(this.#writes);
  }

  #write(): void {
    const uses = this.#uses;
    this.#uses = new Map();
    const write = tolerate(this.#events, 'record last use', () => this.#index.touch(uses));
    this.#writes.add(write);
    void write.then(() => this.#writes.delete(write));
  }
}
