import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { ManifestIndex } from '../index/manifest-index.ts';
import type { PinIndex } from '../index/pin-index.ts';
import type { BlobIndex, StoredUse } from '../index/blob-index.ts';
import type { Digest } from '../oci/digest.ts';
import type { Stored } from '../store/blob-store.ts';
import { quarantineOf } from '../store/capabilities.ts';
import { StoreError } from '../store/error.ts';
import type { HeldStore } from '../store/held-store.ts';
import { Pinned } from './pinned.ts';
import { chooseEvictions } from './eviction-policy.ts';

export interface SweepOptions {
  readonly store: HeldStore;
  readonly index: BlobIndex & PinIndex & ManifestIndex;
  readonly clock: Clock;
  readonly events: Events;
  /** Writes down the uses that are only in memory. */
  readonly flushUses: () => Promise<void>;
  /** Told of each blob whose bytes have gone. */
  readonly onEvicted: (digest: Digest) => void;
  /** Bytes that still have to go, when so many have gone. */
  readonly missing: (evicted: number) => Promise<number>;
  /** What was last used before goes in any case; milliseconds since the epoch. */
  readonly unusedBefore: number | undefined;
  /** What is larger than the cap: it goes before all else, as soon as nobody reads it. */
  readonly misfits: readonly Stored[];
  /** Ends the sweep after what it is at. */
  readonly signal: AbortSignal;
}

export interface SweepStats {
  readonly blobs: number;
  readonly bytes: number;
  /** Passed over because they are in use. */
  readonly held: number;
  readonly pinned: number;
  /** What could not be deleted, and why the last of them could not. */
  readonly failed: number;
  readonly error: unknown;
  /** Bytes that would have had to go as well. */
  readonly missing: number;
  /** How long each step took, milliseconds. */
  readonly steps: Readonly<Record<string, number>>;
}

/** Between two batches everything else has its turn. One takes some milliseconds. */
const BATCH = 100;

const PARALLEL = 16;

/** A disk that lets nothing be deleted is not asked a million times. */
const MAX_FAILURES = 10;

/** A sweep under way: what its steps know and have done. */
interface Sweep {
  readonly options: SweepOptions;
  readonly pinned: Pinned;
  /** What was come upon and is pinned. */
  readonly passed: Digest[];
  /** What was committed since the sweep began. */
  readonly storedAnew: Set<Digest>;
  /** `-readonly` of SweepStats, but for what is told at the end. */
  readonly done: {
    blobs: number;
    bytes: number;
    held: number;
    failed: number;
    error: unknown;
  };
  /** Bytes of what was set aside. */
  dropped: number;
  missing: number;
}

/** What is to go; with its last use where it was chosen for that. */
type Victim = Stored & { readonly usedAt?: number };

const STEPS = [writeDownUses, dropQuarantined, readPins, evictMisfits, evictLeastUsed, usePinned] as const;

/**
 * Removes what the marks do not allow to stay:
 *
 * 1. Uses that are only in memory are written down, so that what is in demand right now is known to be; what was used in
 *    the future, before a clock was set back, was used now.
 * 2. What was set aside goes, the oldest first, as far as room is missing: nothing of it is ever served.
 * 3. The pins are read, with what each pinned tag stands for now.
 * 4. What is larger than the whole cap goes.
 * 5. From the least recently used on, what is neither pinned nor in use goes, batch by batch, until enough has gone. The
 *    pins are read again for each batch. No more are looked at than were there at the beginning, so that it ends
 *    whatever is stored and used meanwhile.
 * 6. What was come upon and is pinned counts as used, so that the next sweeps do not come upon it again and again. Not
 *    before: it would go to the end of the order that is being walked.
 *
 * First the bytes go and then what is known of them: where the second fails, a row without bytes is left, which is a
 * miss and heals.
 * @throws IndexError where the index does not answer
 */
export async function sweep(options: SweepOptions): Promise<SweepStats> {
  const done = { blobs: 0, bytes: 0, held: 0, failed: 0, error: undefined };
  const pinned = new Pinned(options.index);
  const run: Sweep = { options, pinned, passed: [], storedAnew: new Set(), done, dropped: 0, missing: 0 };
  const unsubscribe = options.store.subscribe((growth) => {
    if (growth.kind === 'committed') run.storedAnew.add(growth.stored.digest);
  });
  const steps: Record<string, number> = {};
  try {
    for (const step of STEPS) {
      const startedAt = options.clock.monotonic();
      await step(run);
      steps[step.name] = options.clock.monotonic() - startedAt;
    }
  } finally {
    unsubscribe();
  }
  return { ...run.done, pinned: run.passed.length, missing: run.missing, steps };
}

async function writeDownUses({ options: { index, clock, signal, flushUses } }: Sweep): Promise<void> {
  await flushUses();
  const now = clock.now();
  while (!signal.aborted && (await index.settleUses(now)) > 0);
}

async function dropQuarantined(run: Sweep): Promise<void> {
  const missing = await run.options.missing(0);
  if (missing <= 0) return;
  try {
    run.dropped = await quarantineOf(run.options.store).drop(missing);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    run.done.error = error;
  }
}

async function readPins({ pinned }: Sweep): Promise<void> {
  await pinned.read();
}

async function evictMisfits(run: Sweep): Promise<void> {
  const misfits = run.options.misfits.filter(({ digest }) => !run.pinned.has(digest));
  await evictAll(run, misfits);
}

async function evictLeastUsed(run: Sweep): Promise<void> {
  const { index, store, unusedBefore, signal } = run.options;
  let { blobs: left } = await index.stats();
  let after: StoredUse | undefined;
  for (;;) {
    run.missing = Math.max(0, await run.options.missing(run.dropped + run.done.bytes));
    if (signal.aborted || run.done.failed >= MAX_FAILURES) return;
    const page = await index.leastUsed({ after, limit: Math.min(BATCH, left) });
    const choice = chooseEvictions(page, {
      missing: run.missing,
      unusedBefore,
      isPinned: (digest) => run.pinned.has(digest),
      isHeld: (digest) => store.isHeld(digest),
    });
    left -= choice.evict.length + choice.pinned.length + choice.held;
    run.done.held += choice.held;
    run.passed.push(...choice.pinned.map(({ digest }) => digest));
    await evictAll(run, choice.evict);
    if (choice.last === undefined || (choice.isEnough && choice.evict.length === 0)) return;
    after = choice.last;
    await run.pinned.read();
  }
}

async function usePinned({ options: { index, clock, signal }, passed }: Sweep): Promise<void> {
  if (signal.aborted) return;
  const now = clock.now();
  await index.touch(new Map(passed.map((digest) => [digest, now])));
}

/** Several at a time, as fills are several: or they would grow faster than they can be evicted. */
async function evictAll(run: Sweep, victims: readonly Victim[]): Promise<void> {
  const { events } = run.options;
  const before = { ...run.done };
  const queue = victims.values();
  const workers = Array.from({ length: PARALLEL }, () => evictFrom(queue, run));
  await Promise.all(workers);
  const blobs = run.done.blobs - before.blobs;
  const bytes = run.done.bytes - before.bytes;
  if (blobs > 0) events.emit({ kind: 'evicted', blobs, bytes });
}

async function evictFrom(queue: Iterable<Victim>, run: Sweep): Promise<void> {
  const { store, signal } = run.options;
  for (const victim of queue) {
    const isUsed = await isUsedMeanwhile(run, victim);
    if (signal.aborted || run.done.failed >= MAX_FAILURES) return;
    if (isUsed || store.isHeld(victim.digest)) run.done.held += 1;
    else await evictOne(run, victim);
  }
}

/** Since it was chosen: it has been pulled, or pinned, which counts as a use. */
async function isUsedMeanwhile({ options: { index } }: Sweep, { digest, usedAt }: Victim): Promise<boolean> {
  return usedAt !== undefined && (await index.blob(digest))?.usedAt !== usedAt;
}

/** @throws IndexError */
async function evictOne({ options, done, storedAnew }: Sweep, { digest, size }: Victim): Promise<void> {
  const { store, index, clock, onEvicted } = options;
  let wasThere: boolean;
  try {
    wasThere = await store.delete(digest);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    done.failed += 1;
    done.error = error;
    return;
  }
  onEvicted(digest);
  await index.deleteBlob(digest);
  // A row without bytes has taken none of the disk.
  done.blobs += wasThere ? 1 : 0;
  done.bytes += wasThere ? size : 0;
  // Whoever stored it anew between the two has lost what was known of it.
  const again = storedAnew.has(digest) ? await store.stat(digest).catch(() => undefined) : undefined;
  if (again !== undefined) await index.putBlob(again, clock.now());
}
