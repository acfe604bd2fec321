/** So many callers say where something comes from. */
const CALLERS = 4;

/**
 * The nearest callers in the project's own files, where an error was made: `src/a.ts:1 < src/b.ts:2`. The file that has
 * made the error is left out.
 */
export function callersOf({ stack = '' }: Error): string {
  const frames = [...stack.matchAll(/\b((?:src|test)\/[^\s:()?]+)[^\s:()]*:(\d+)/g)];
  const own = frames[0]?.[1];
  const callers = frames.filter(([, file]) => file !== own).map(([, file, line]) => `${file}:${line}`);
  return callers.slice(0, CALLERS).join(' < ') || 'unknown';
}
