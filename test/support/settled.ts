import { setImmediate } from 'node:timers/promises';
import type { LoopbackTraffic } from './loopback-traffic.ts';
import type { ManualClock } from './manual-clock.ts';

/** A world that is wholly in this process, and whose time the test moves. */
export interface ClosedWorld {
  readonly clock: ManualClock;
  readonly traffic: LoopbackTraffic;
  /** Returns a value that changes whenever something happens. */
  readonly activity: () => unknown;
}

/** Turns of the event loop in which nothing may happen. */
const QUIET_TURNS = 50;

/** Resources that complete by themselves: files, names, connections, writes. Unread sockets do not. */
const BUSY = /Req|ConnectWrap|WriteWrap|ShutdownWrap|Immediate/;

/** A wait of a day counts as a wait without end. */
const TOO_LONG_MS = 24 * 3600_000;

/** Resolves once this world only waits, so that nothing more happens before the clock moves; or once `isOver`. */
export async function settled(world: ClosedWorld, isOver: () => boolean = () => false): Promise<void> {
  let before = world.activity();
  for (let quiet = 0; quiet < QUIET_TURNS && !isOver();) {
    await setImmediate();
    const now = world.activity();
    quiet = now === before && !isBusy() && !world.traffic.isUnderWay ? quiet + 1 : 0;
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
  world: ClosedWorld,
  pending: Promise<T>,
): Promise<{ readonly value: T; readonly tookMs: number }> {
  const { clock } = world;
  const startedAt = clock.monotonic();
  let tookMs: number | undefined;
  const isOver = (): boolean => tookMs !== undefined;
  const watched = pending.finally(() => {
    tookMs = clock.monotonic() - startedAt;
  });
  watched.catch(() => {});
  for (;;) {
    await settled(world, isOver);
    if (tookMs !== undefined) return { value: await watched, tookMs };
    if (!clock.advanceToNext() || clock.monotonic() - startedAt > TOO_LONG_MS) {
      throw new Error('this waits for something that no clock will bring');
    }
  }
}
