import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { BlobIndex } from '../index/blob-index.ts';
import type { Digest } from '../oci/digest.ts';
import { tolerate } from '../tolerate.ts';

const FLUSH_AFTER_MS = 5_000;
const FLUSH_AT_ENTRIES = 10_000;

/**
 * Records when each digest was last used. A hit writes nothing: uses are buffered, and flushed to the index a few
 * seconds after the first one, or once there are many. A crash loses only seconds of recency.
 */
export class LastUse {
  #uses = new Map<Digest, number>();
  #cancelFlush: (() => void) | undefined;
  /** Running writes. */
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
   * Resolves when all uses so far are in the index, including those that an earlier call is still writing. Otherwise
   * an eviction would evict content that was used a moment ago.
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
