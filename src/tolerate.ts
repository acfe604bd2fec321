import type { Events } from './events.ts';

/**
 * Runs an operation that the caller can do without. A failure of the store or the index (disk full, read-only) is
 * reported, and costs the cache, never the pull.
 * @returns the value, or undefined if the operation failed
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
