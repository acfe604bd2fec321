import parseDurationText from 'parse-duration';
import { ValueError } from './value-error.ts';

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

// parse-duration reads "5 minutes", "1h and 3" or "-2s" too: the grammar is held here, the arithmetic there.
const NUMBER = String.raw`\d{1,15}(?:\.\d{1,9})?`;
const DURATION = new RegExp(`^(?=.)${UNITS.map(([unit]) => `(?:${NUMBER}${unit})?`).join('')}$`);

const EXPECTED = 'a duration such as 90s, 5m, 12h or 30d';

/**
 * `90s`, `5m`, `1h30m`, `1.5d`: numbers with the units d, h, m, s and ms, largest first, each at most once.
 * @returns whole milliseconds, rounded
 * @throws ValueError
 */
export function parseDuration(text: string): number {
  const ms = DURATION.test(text) ? parseDurationText(text) : null;
  const rounded = Math.round(ms ?? Number.NaN);
  if (!Number.isSafeInteger(rounded)) throw new ValueError(EXPECTED);
  return rounded;
}

/** The inverse of `parseDuration`: 90 000 → `1m30s`. */
export function formatDuration(ms: number): string {
  let rest = ms;
  let text = '';
  for (const [unit, length] of UNITS) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === '' ? '0s' : text;
}
