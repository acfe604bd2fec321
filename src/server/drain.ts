import type { Clock } from '../clock.ts';

/** A client asks for its next layer within this time of the last one, milliseconds. */
const GAP_MS = 1_000;
/** Interval between looks at whether something is served, milliseconds. */
const LOOK_EVERY_MS = 100;

export interface DrainTimes {
  /** How long new connections are accepted in any case, milliseconds. */
  readonly delayMs: number;
  /** How long requests may go on after that, milliseconds. */
  readonly limitMs: number;
}

/**
 * Waits until no pull needs a new connection. Docker and containerd pull three layers at a time, and open a connection
 * for each: so connections are accepted for the delay, and then for as long as requests are served with no longer gap
 * between them than a client makes between two layers. After half of the limit that ends: the requests that have begun
 * until then have the other half to finish.
 * @returns what is left of both times, milliseconds
 */
export async function untilPullsEnd(
  clock: Clock,
  isServing: () => boolean,
  { delayMs, limitMs }: DrainTimes,
): Promise<number> {
  const startedAt = clock.monotonic();
  let servedAt = -Infinity;
  for (;;) {
    const waitedMs = clock.monotonic() - startedAt;
    if (isServing()) servedAt = waitedMs;
    const isQuiet = waitedMs >= delayMs && waitedMs - servedAt >= GAP_MS;
    if (isQuiet || waitedMs >= delayMs + limitMs / 2) return Math.max(0, delayMs + limitMs - waitedMs);
    await pause(clock, LOOK_EVERY_MS);
  }
}

function pause(clock: Clock, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  clock.after(ms, resolve);
  return promise;
}
