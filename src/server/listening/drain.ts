import { pause } from '../../async/deadline.ts';
import type { Clock } from '../../clock.ts';

/** The longest pause of a client between two layers, milliseconds. */
const GAP_MS = 1_000;
/** Interval between looks at whether a request is being served, milliseconds. */
const LOOK_EVERY_MS = 100;

export interface DrainTimes {
  /** Time for which new connections are accepted in any case, milliseconds. */
  readonly delayMs: number;
  /** The longest that requests may go on after that, milliseconds. */
  readonly limitMs: number;
}

/**
 * Waits until no pull needs a new connection. Docker and containerd pull three layers at a time, and open a connection
 * for each. So the wait lasts for the delay, and then until no request has been served for longer than a client pauses
 * between two layers. It ends at the latest when half of the limit is over: requests that run then have the other half
 * to finish.
 * @returns what is left of both times together, milliseconds
 */
export async function untilPullsEnd(
  clock: Clock,
  isServing: () => boolean,
  { delayMs, limitMs }: DrainTimes,
): Promise<number> {
  const startedAt = clock.monotonic();
  // A drain is not given up.
  const { signal } = new AbortController();
  let servedAt = -Infinity;
  for (;;) {
    const waitedMs = clock.monotonic() - startedAt;
    if (isServing()) servedAt = waitedMs;
    const isQuiet = waitedMs >= delayMs && waitedMs - servedAt >= GAP_MS;
    if (isQuiet || waitedMs >= delayMs + limitMs / 2) return Math.max(0, delayMs + limitMs - waitedMs);
    await pause(clock, LOOK_EVERY_MS, signal);
  }
}
