import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { ManifestIndex } from '../index/manifest-index.ts';
import type { LeaseIndex } from '../index/lease-index.ts';
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
  readonly index: BlobIndex & PinIndex & LeaseIndex & ManifestIndex;
  readonly clock: Clock;
  readonly events: Events;
  /** Writes down the uses that are only in memory. */
  readonly flushUses: () => Promise<void>;
  /** Called for each blob whose bytes have gone. */
  readonly onEvicted: (digest: Digest) => void;
  /** Returns the bytes that still have to go when `evicted` bytes have gone. */
  readonly missing: (evicted: number) => Promise<number>;
  /** Content last used before this time goes in any case; milliseconds since the epoch. */
  readonly unusedBefore: number | undefined;
  /** Blobs larger than the cap: they go before all else, as soon as no client reads them. */
  readonly oversized: readonly Stored[];
  /** Ends the sweep after the blobs that it is deleting. */
  readonly signal: AbortSignal;
}

/** What a sweep has done, and what it left. */
export interface SweepStats {
  readonly blobs: number;
  readonly bytes: number;
  /** Blobs passed over because they are in use. */
  readonly held: number;
  /** Blobs passed over because they are pinned or leased. */
  readonly pinned: number;
  /** Blobs that could not be deleted. */
  readonly failed: number;
  /** Why the last of those, or the quarantine's content, could not be deleted. */
  readonly error: unknown;
  /** Bytes that still had to go at the end. */
  readonly missing: number;
  /** Duration of each step, milliseconds. */
  readonly steps: Readonly<Record<string, number>>;
}

/** Blobs in a batch, which takes some milliseconds. Between two batches everything else has its turn. */
const BATCH = 100;

const PARALLEL = 16;

/** Failures after which a sweep ends: a disk from which nothing can be deleted is not asked a million times. */
const MAX_FAILURES = 10;

/** The state of a running sweep, which its steps share. */
interface Sweep {
  readonly options: SweepOptions;
  readonly pinned: Pinned;
  /** Pinned and leased digests that the sweep has passed over. */
  readonly passed: Digest[];
  /** Digests committed since the sweep began. */
  readonly storedAnew: Set<Digest>;
  /** The counts of SweepStats so far. */
  readonly done: {
    blobs: number;
    bytes: number;
    held: number;
    failed: number;
    error: unknown;
  };
  /** Bytes deleted from quarantine. */
  dropped: number;
  missing: number;
}

/** A blob to evict; with its last use if that is why it was chosen. */
type Victim = Stored & { readonly usedAt?: number };

/** The steps in their order. Their names are logged. */
const STEPS = [writeDownUses, dropQuarantined, readPins, evictMisfits, evictLeastUsed, usePinned] as const;

/**
 * Removes what the marks do not allow to stay:
 *
 * 1. Writes down the uses that are only in memory, so that the index knows what is in demand right now. A use in the
 *    future, from before the clock was set back, becomes a use now.
 * 2. Deletes from quarantine, the oldest first, as far as room is missing: its content is never served.
 * 3. Reads the pins, with what each pinned tag stands for now.
 * 4. Evicts blobs larger than the whole cap.
 * 5. Evicts what is neither pinned, leased nor in use, the least recently used first, batch by batch, until enough has gone.
 *    Reads the pins and leases again for each batch. Looks at no more blobs than were stored at the beginning, so that the sweep
 *    ends whatever is stored and used meanwhile.
 * 6. Counts the pinned and leased digests that it passed over as used, so that the next sweeps do not meet them again and again.
 *    Not earlier: they would move to the end of the order that step 5 walks.
 *
 * The bytes go first, then their rows: if the second fails, a row without bytes is left, which is a miss and heals.
 * @throws IndexError if the index does not answer
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
  const { oversized } = run.options;
  const isExempt = await exemptionOf(run, oversized);
  await evictAll(
    run,
    oversized.filter(({ digest }) => !isExempt(digest)),
  );
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
      isPinned: await exemptionOf(run, page),
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

/** Returns whether a digest of the list is pinned or leased. */
async function exemptionOf(
  { options: { index, clock }, pinned }: Sweep,
  list: readonly { readonly digest: Digest }[],
): Promise<(digest: Digest) => boolean> {
  const leased = await index.leasedOf(
    list.map(({ digest }) => digest),
    clock.now(),
  );
  return (digest) => leased.has(digest) || pinned.has(digest);
}

async function usePinned({ options: { index, clock, signal }, passed }: Sweep): Promise<void> {
  if (signal.aborted) return;
  const now = clock.now();
  await index.touch(new Map(passed.map((digest) => [digest, now])));
}

/** Evicts several blobs at a time: several fills would otherwise store faster than the sweep evicts. */
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

/** Whether the victim was pulled, or pinned (which counts as a use), after it was chosen. */
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
  // A row without bytes took no room on the disk.
  done.blobs += wasThere ? 1 : 0;
  done.bytes += wasThere ? size : 0;
  // If a fill stored the bytes anew between the two deletions, the second one deleted their new row.
  const again = storedAnew.has(digest) ? await store.stat(digest).catch(() => undefined) : undefined;
  if (again !== undefined) await index.putBlob(again, clock.now());
}
