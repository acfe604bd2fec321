import { setTimeout as wait } from 'node:timers/promises';

/**
 * What `probe` gives once it gives something: the one place where a test waits for another process.
 * @param what names what is awaited, for the error.
 * @throws Error once `timeoutMs` (30 s by default) have passed, with the probe's last error as its cause.
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
