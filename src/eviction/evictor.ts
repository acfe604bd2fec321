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
  /** Returns the bytes free on the disk. Rejects if the disk does not tell. */
  readonly freeBytes: () => Promise<number>;
  /** Writes down the uses that are only in memory. */
  readonly flushUses: () => Promise<void>;
  /** Called for each blob whose bytes have gone. */
  readonly onEvicted: (digest: Digest) => void;
}

/** Interval between regular looks: other programs fill the disk, too, and blobs become unused as time passes. */
const CHECK_EVERY_MS = 10_000;

/**
 * How long after a sweep the disk's own count is not trusted: file systems may report deleted bytes as free only
 * seconds later. Trusting them at once would evict twice for the same bytes.
 */
const FREE_SETTLES_MS = 5_000;

/** Rest after a sweep that found too little to evict, as a multiple of its own duration. */
const REST_FACTOR = 10;

/** Rest after a sweep that could not delete what it chose. */
const FAILURE_REST_MS = 5_000;

/**
 * Decides when to evict: as soon as a fill begins that needs room, when the store is over its marks, and every few
 * seconds, since ages and the free space change by themselves. One sweep runs at a time, in the background: no request
 * waits for it.
 */
export class Evictor {
  readonly #options: EvictorOptions;
  readonly #quarantine: Quarantine;
  readonly #cancellation = new AbortController();
  /** Blobs larger than the cap, which go on their own. */
  readonly #oversized = new Map<Digest, Stored>();
  #running: Promise<void> | undefined;
  #isDue = false;
  /** Bytes that a fill found no room for. */
  #wanted = 0;
  #looksForUnused = true;
  #restsUntil = 0;
  #freeSettlesAt = 0;
  /** Bytes free on the disk plus bytes that the cache took of it, when the disk last told them reliably. */
  #room = 0;
  #hasFailed = false;
  /** Whether the last sweep found too little, which an event has reported. */
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

  /** Makes room for a fill of `bytes` that has found the disk full. */
  makeRoom(bytes: number): void {
    this.#wanted = Math.max(this.#wanted, bytes);
    this.#restsUntil = 0;
    this.wake();
  }

  /** Checks, in the background, whether something has to go. */
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
    // The run that has just ended may have set a wake.
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
      this.#oversized.set(growth.stored.digest, growth.stored);
    }
    this.wake();
  }

  async #run(): Promise<void> {
    while (this.#isDue && !this.#cancellation.signal.aborted) {
      this.#isDue = false;
      // The caller goes on first: after a commit, it tells the index of the blob.
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
    const isUrgent = room > 0 || this.#removableOversized().length > 0;
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
   * @param atMost bytes that have to go for free space, unless fewer are missing once the uses are written down
   * @param wanted bytes that a fill found no room for
   */
  async #sweep(atMost: number, wanted: number): Promise<void> {
    const { marks, clock } = this.#options;
    const startedAt = clock.monotonic();
    const oversized = this.#removableOversized();
    let toFree: number | undefined;
    const stats = await sweep({
      ...this.#options,
      // The free space is measured once, after the uses have been written down, since fills may have ended meanwhile
      // and returned what they took. It is not measured again: file systems report deleted bytes only later. If more
      // is missing, the next look finds it.
      missing: async (evicted) => {
        toFree ??= Math.min(atMost, await this.#bytesToFree(wanted));
        return Math.max(toFree - evicted, bytesOverCap(marks, this.#useOf(await this.#bytesKept()), true));
      },
      unusedBefore: this.#unusedBefore(),
      oversized,
      signal: this.#cancellation.signal,
    });
    const endedAt = clock.monotonic();
    if (toFree !== undefined && toFree > 0) this.#freeSettlesAt = endedAt + FREE_SETTLES_MS;
    if (stats.error !== undefined) this.#restsUntil = endedAt + FAILURE_REST_MS;
    else if (stats.missing > 0) this.#restsUntil = endedAt + REST_FACTOR * (endedAt - startedAt);
    this.#forget(oversized);
    this.#tell(stats, endedAt - startedAt);
  }

  /** Measures how many bytes have to go for free space, whatever the cap allows. */
  async #bytesToFree(wanted: number): Promise<number> {
    const use = await this.#measure(wanted);
    return Math.max(bytesUnderFree(this.#options.marks, use), bytesForRoom(wanted, use));
  }

  async #measure(wanted: number): Promise<DiskUse> {
    const { marks, freeBytes } = this.#options;
    const isAsked = marks.minFree > 0 || wanted > 0;
    const free = isAsked ? await freeBytes().catch(() => undefined) : undefined;
    const bytes = await this.#bytesKept();
    return { ...this.#useOf(bytes), free: free === undefined ? undefined : this.#trustedFree(free, bytes) };
  }

  /** Bytes that are stored or in quarantine: the cache takes both. */
  async #bytesKept(): Promise<number> {
    const { bytes } = await this.#options.index.stats();
    const setAside = await this.#quarantine.stats().catch(() => ({ bytes: 0 }));
    return bytes + setAside.bytes;
  }

  /** Bytes free: the disk's count, or the cache's own if that is more while the disk may not show deletions yet. */
  #trustedFree(free: number, stored: number): number {
    const { store, clock } = this.#options;
    const taken = stored + bytesWritten(store.ingests);
    if (clock.monotonic() >= this.#freeSettlesAt) this.#room = free + taken;
    return Math.max(free, this.#room - taken);
  }

  /**
   * What the cache takes of the disk, without blobs larger than the cap: those go on their own, and nothing else need
   * go for them.
   */
  #useOf(stored: number): DiskUse {
    let bytes = stored;
    for (const { size } of this.#oversized.values()) bytes -= size;
    return { stored: Math.max(0, bytes), ingests: this.#options.store.ingests, free: undefined };
  }

  #removableOversized(): readonly Stored[] {
    return [...this.#oversized.values()].filter(({ digest }) => !this.#options.store.isHeld(digest));
  }

  /**
   * Forgets oversized blobs after a sweep: one that no client reads is gone by then, or is pinned, or cannot be
   * deleted, and counts like all other blobs from now on.
   */
  #forget(oversized: readonly Stored[]): void {
    for (const { digest } of oversized) {
      if (!this.#options.store.isHeld(digest)) this.#oversized.delete(digest);
    }
  }

  /** Whether some blob has been unused for too long. Asks the index only at regular looks: only time changes this. */
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
    const isWorthAnEvent = blobs > 0 || (isStuck && !this.#isStuck);
    this.#isStuck = isStuck;
    if (!isWorthAnEvent) return;
    this.#options.events.emit({ kind: 'eviction-ended', ...stats, durationMs });
  }

  /** Reports a failure, and no further one until a check has worked. */
  #tellFailure(error: unknown): void {
    if (!this.#hasFailed) {
      this.#options.events.emit({ kind: 'store-failed', operation: 'evict', error });
    }
    this.#hasFailed = true;
  }
}
