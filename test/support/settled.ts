import { setImmediate } from 'node:timers/promises';
import type { ManualClock } from './manual-clock.ts';

/** Turns of the event loop in which nothing may happen: what is in the kernel's hands is picked up at the next one. */
const QUIET_TURNS = 100;

/** What is on its way and comes back by itself: files, names, connections, writes. What waits to be read does not. */
const BUSY = /Req|ConnectWrap|WriteWrap|ShutdownWrap|Immediate/;

/** A wait of a day is a wait without end. */
const TOO_LONG_MS = 24 * 3600_000;

/**
 * Resolves once this process does nothing but wait, or `isOver`: with all of a test's servers and clients in the
 * process, nothing more will happen then before the clock moves.
 * @param activity changes where something has happened
 */
export async function settled(activity: () => unknown, isOver: () => boolean = () => false): Promise<void> {
  let before = activity();
  for (let quiet = 0; quiet < QUIET_TURNS && !isOver();) {
    await setImmediate();
    const now = activity();
    quiet = now === before && !isBusy() ? quiet + 1 : 0;
    before = now;
  }
}

function isBusy(): boolean {
  return process.getActiveResourcesInfo().some((name) => BUSY.test(name));
}

/**
 * Waits for `pending`, moving the clock from timer to timer whenever everything waits for it.
 * @returns the value, and how long it took by the clock, in milliseconds
 */
export async function drive<T>(
  clock: ManualClock,
  activity: () => unknown,
  pending: Promise<T>,
): Promise<{ readonly value: T; readonly tookMs: number }> {
  const startedAt = clock.monotonic();
  let tookMs: number | undefined;
  const isOver = (): boolean => tookMs !== undefined;
  const watched = pending.finally(() => {
    tookMs = clock.monotonic() - startedAt;
  });
  watched.catch(() => {});
  for (;;) {
    await settled(activity, isOver);
    if (tookMs !== undefined) return { value: await watched, tookMs };
    if (!clock.advanceToNext() || clock.monotonic() - startedAt > TOO_LONG_MS) {
      throw new Error('this waits for something that no clock will bring');
    }
  }
}
