import { setTimeout as wait } from 'node:timers/promises';

/**
 * Repeats `probe` until it returns a value, and returns that: the one place where a test waits for another process.
 * @param what names the awaited event, for the error
 * @throws Error after `timeoutMs` (30 s by default), with the probe's last error as its cause
 */
export async function until<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  while (performance.now() < deadline) {
    try {
      const value = await probe();
      if (value !== undefined) return value;
    } catch (error) {
      cause = error;
    }
    await wait(25);
  }
  throw new Error(`${what}: not within ${timeoutMs} ms`, { cause });
}
