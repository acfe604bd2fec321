import type { Clock } from '../clock.ts';

/**
 * Waits for `promise`, but no longer than `ms` milliseconds.
 * @returns undefined once the time is over; the promise goes on
 */
export async function within<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T | undefined> {
  if (ms <= 0) return undefined;
  const { promise: timeout, resolve } = Promise.withResolvers<undefined>();
  const cancel = clock.after(ms, () => resolve(undefined));
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    cancel();
  }
}
