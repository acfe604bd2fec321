/** The number of callers that are enough to recognise a place. */
const CALLERS = 4;

/**
 * Returns the nearest callers, in the project's own files, of the function that made an error:
 * `src/a.ts:1 < src/b.ts:2`. Leaves out the file that made the error.
 */
export function callersOf({ stack = '' }: Error): string {
  const frames = [...stack.matchAll(/\b((?:src|test)\/[^\s:()?]+)[^\s:()]*:(\d+)/g)];
  const own = frames[0]?.[1];
  const callers = frames.filter(([, file]) => file !== own).map(([, file, line]) => `${file}:${line}`);
  return callers.slice(0, CALLERS).join(' < ') || 'unknown';
}
