import type { Events } from '../events.ts';

/**
 * Runs what the caller would like to be done but does not depend on: a store or an index that fails (disk full,
 * read-only) is told of, and costs the cache, never the pull.
 * @returns the value, or undefined where it failed
 */
export async function tolerate<T>(
  events: Events,
  operation: string,
  run: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    events.emit({ kind: 'store-failed', operation, error });
    return undefined;
  }
}
