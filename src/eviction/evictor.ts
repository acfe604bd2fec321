import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { Digest } from '../oci/digest.ts';
import type { Stored } from '../store/blob-store.ts';
import { quarantineOf, type Quarantine } from '../store/capabilities.ts';
import type { Growth, HeldStore } from '../store/held-store.ts';
import {
  bytesForRoom,
  bytesOverCap,
  bytesUnderFree,
  bytesWritten,
  type DiskUse,
  type Marks,
} from './marks.ts';
import { isUnused } from './eviction-policy.ts';
import { sweep, type SweepOptions, type SweepStats } from './sweep.ts';

export interface EvictorOptions {
  readonly marks: Marks;
  readonly store: HeldStore;
  readonly index: SweepOptions['index'];
  readonly clock: Clock;
  readonly events: Events;
  /** Bytes free on the disk. Rejects where they cannot be told. */
  readonly freeBytes: () => Promise<number>;
  /** Writes down the uses that are only in memory. */
  readonly flushUses: () => Promise<void>;
  /** Told of each blob whose bytes have gone. */
  readonly onEvicted: (digest: Digest) => void;
}

/** Other programs fill the disk, too, and time passes. */
const CHECK_EVERY_MS = 10_000;

/**
 * File systems may tell only seconds later that deleted bytes are free. To believe them at once would be to evict for
 * the same bytes twice.
 */
const FREE_SETTLES_MS = 5_000;

/** After a sweep that found too little to evict: so many times its own duration passes before the next. */
const REST_FACTOR = 10;

/** After one that could not delete what it chose. */
const FAILURE_REST_MS = 5_000;

/**
 * When to evict: as soon as a fill begins that needs room, when the store is over its marks, and every few seconds for
 * what changes by itself. One sweep at a time, in the background: nobody waits for it.
 */
export class Evictor {
  readonly #options: EvictorOptions;
  readonly #quarantine: Quarantine;
  readonly #cancellation = new AbortController();
  readonly #misfits = new Map<Digest, Stored>();
  #running: Promise<void> | undefined;
  #isDue = false;
  /** Bytes that a fill found no room for. */
  #wanted = 0;
  #looksForUnused = true;
  #restsUntil = 0;
  #freeSettlesAt = 0;
  /** What was free on the disk and what the cache took of it, together, when that was last told reliably. Bytes. */
  #room = 0;
  #hasFailed = false;
  /** Whether the last sweep found too little, which has been told. */
  #isStuck = false;
  #unsubscribe: (() => void) | undefined;
  #cancelCheck: (() => void) | undefined;
  #cancelWake: (() => void) | undefined;

  constructor(options: EvictorOptions) {
    this.#options = options;
    this.#quarantine = quarantineOf(options.store);
  }

  start(): void {
    this.#unsubscribe = this.#options.store.subscribe((growth) => this.#onGrowth(growth));
    this.#checkRegularly();
  }

  /** A fill of so many bytes has found the disk full. */
  makeRoom(bytes: number): void {
    this.#wanted = Math.max(this.#wanted, bytes);
    this.#restsUntil = 0;
    this.wake();
  }

  /** Looks, in the background, whether something has to go. */
  wake(): void {
    this.#isDue = true;
    this.#running ??= this.#run();
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async close(): Promise<void> {
    this.#cancellation.abort();
    this.#unsubscribe?.();
    this.#cancelCheck?.();
    await this.#running;
    // What was under way may have set it.
    this.#cancelWake?.();
  }

  #checkRegularly(): void {
    this.#looksForUnused = true;
    this.wake();
    this.#cancelCheck = this.#options.clock.after(CHECK_EVERY_MS, () => this.#checkRegularly());
  }

  #onGrowth(growth: Growth): void {
    const { maxSize } = this.#options.marks;
    if (growth.kind === 'committed' && maxSize !== undefined && growth.stored.size > maxSize) {
      this.#misfits.set(growth.stored.digest, growth.stored);
    }
    this.wake();
  }

  async #run(): Promise<void> {
    while (this.#isDue && !this.#cancellation.signal.aborted) {
      this.#isDue = false;
      // What woke us is done first: the index learns of a commit right after it.
      await nextTurn();
      try {
        await this.#check();
        this.#hasFailed = false;
      } catch (error) {
        this.#tellFailure(error);
      }
    }
    this.#running = undefined;
  }

  async #check(): Promise<void> {
    const { marks, clock } = this.#options;
    const wanted = this.#wanted;
    this.#wanted = 0;
    const use = await this.#measure(wanted).catch((error: unknown) => {
      this.#wanted = Math.max(this.#wanted, wanted);
      throw error;
    });
    const now = clock.monotonic();
    const underFree = bytesUnderFree(marks, use);
    const room = bytesForRoom(wanted, use);
    const overCap = bytesOverCap(marks, use, false);
    const isUrgent = room > 0 || this.#removableMisfits().length > 0;
    const isOver = overCap > 0 || underFree > 0;
    const isResting = now < this.#restsUntil;
    if (isOver && isResting) this.#wakeAfter(this.#restsUntil - now);
    const isDue = isUrgent || (isOver && !isResting) || (await this.#hasUnused());
    if (isDue) await this.#sweep(Math.max(underFree, room), wanted);
  }

  #wakeAfter(ms: number): void {
    this.#cancelWake ??= this.#options.clock.after(ms, () => {
      this.#cancelWake = undefined;
      this.wake();
    });
  }

  /**
   * @param atMost bytes that have to go in any case, unless fewer are missing once the uses are written down
   * @param wanted bytes that a fill found no room for
   */
  async #sweep(atMost: number, wanted: number): Promise<void> {
    const { marks, clock } = this.#options;
    const startedAt = clock.monotonic();
    const misfits = this.#removableMisfits();
    let toFree: number | undefined;
    const stats = await sweep({
      ...this.#options,
      // What is free is measured once, after the uses have been written down, since fills may have ended meanwhile and
      // given back what they took. Not again after that: file systems tell only later of what was deleted. What is
      // missing beyond it is for the next look.
      missing: async (evicted) => {
        toFree ??= Math.min(atMost, await this.#bytesToFree(wanted));
        return Math.max(toFree - evicted, bytesOverCap(marks, this.#useOf(await this.#bytesKept()), true));
      },
      unusedBefore: this.#unusedBefore(),
      misfits,
      signal: this.#cancellation.signal,
    });
    const endedAt = clock.monotonic();
    if (toFree !== undefined && toFree > 0) this.#freeSettlesAt = endedAt + FREE_SETTLES_MS;
    if (stats.error !== undefined) this.#restsUntil = endedAt + FAILURE_REST_MS;
    else if (stats.missing > 0) this.#restsUntil = endedAt + REST_FACTOR * (endedAt - startedAt);
    this.#forget(misfits);
    this.#tell(stats, endedAt - startedAt);
  }

  /** Bytes that have to go in any case. */
  async #bytesToFree(wanted: number): Promise<number> {
    const use = await this.#measure(wanted);
    return Math.max(bytesUnderFree(this.#options.marks, use), bytesForRoom(wanted, use));
  }

  async #measure(wanted: number): Promise<DiskUse> {
    const { marks, freeBytes } = this.#options;
    const isAsked = marks.minFree > 0 || wanted > 0;
    const free = isAsked ? await freeBytes().catch(() => undefined) : undefined;
    const bytes = await this.#bytesKept();
    return { ...this.#useOf(bytes), free: free === undefined ? undefined : this.#settled(free, bytes) };
  }

  /** What is stored, and what was set aside: both are the cache's. */
  async #bytesKept(): Promise<number> {
    const { bytes } = await this.#options.index.stats();
    const setAside = await this.#quarantine.stats().catch(() => ({ bytes: 0 }));
    return bytes + setAside.bytes;
  }

  /** What is free: while the disk may not tell of what was deleted, by the cache's own count where that is more. */
  #settled(free: number, stored: number): number {
    const { store, clock } = this.#options;
    const taken = stored + bytesWritten(store.ingests);
    if (clock.monotonic() >= this.#freeSettlesAt) this.#room = free + taken;
    return Math.max(free, this.#room - taken);
  }

  /** Without what is larger than the cap: that goes by itself, nothing else need go for it. */
  #useOf(stored: number): DiskUse {
    let bytes = stored;
    for (const { size } of this.#misfits.values()) bytes -= size;
    return { stored: Math.max(0, bytes), ingests: this.#options.store.ingests, free: undefined };
  }

  #removableMisfits(): readonly Stored[] {
    return [...this.#misfits.values()].filter(({ digest }) => !this.#options.store.isHeld(digest));
  }

  /** One that is still there although nobody reads it is pinned, or cannot be deleted: it is one of many from now on. */
  #forget(misfits: readonly Stored[]): void {
    for (const { digest } of misfits) {
      if (!this.#options.store.isHeld(digest)) this.#misfits.delete(digest);
    }
  }

  /** Looked for now and then only: time alone brings it about. */
  async #hasUnused(): Promise<boolean> {
    const unusedBefore = this.#unusedBefore();
    if (unusedBefore === undefined || !this.#looksForUnused) return false;
    this.#looksForUnused = false;
    const [first] = await this.#options.index.leastUsed({ limit: 1 });
    return first !== undefined && isUnused(first, { unusedBefore });
  }

  #unusedBefore(): number | undefined {
    const { marks, clock } = this.#options;
    return marks.unusedForMs === undefined ? undefined : clock.now() - marks.unusedForMs;
  }

  #tell(stats: SweepStats, durationMs: number): void {
    const { blobs, missing, error } = stats;
    const isStuck = missing > 0 || error !== undefined;
    const isNews = blobs > 0 || (isStuck && !this.#isStuck);
    this.#isStuck = isStuck;
    if (!isNews) return;
    this.#options.events.emit({ kind: 'eviction-ended', ...stats, durationMs });
  }

  /** Once, until it works again. */
  #tellFailure(error: unknown): void {
    if (!this.#hasFailed) {
      this.#options.events.emit({ kind: 'store-failed', operation: 'evict', error });
    }
    this.#hasFailed = true;
  }
}
