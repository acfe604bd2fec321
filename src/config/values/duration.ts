import parseDurationText from 'parse-duration';
import { z } from 'zod';
import { textLeaf, type Leaf } from './leaf.ts';
import { ValueError } from './value-error.ts';

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

// parse-duration also reads "5 minutes", "1h and 3" or "-2s", so the grammar is here, and only the arithmetic there.
const NUMBER = String.raw`\d{1,15}(?:\.\d{1,9})?`;
const DURATION = new RegExp(`^(?=.)${UNITS.map(([unit]) => `(?:${NUMBER}${unit})?`).join('')}$`);

const EXPECTED = 'a duration such as 90s, 5m, 12h or 30d';

/**
 * Reads `90s`, `5m`, `1h30m`, `1.5d`: numbers with the units d, h, m, s and ms, largest first, each at most once.
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

declare const UNIT: unique symbol;

/** Marks the type of a leaf of milliseconds; at run time there is no such property. */
export interface InMilliseconds {
  readonly [UNIT]: 'ms';
}

/** A leaf of milliseconds. */
export interface Milliseconds<T> extends Leaf<T>, InMilliseconds {}

/**
 * A duration for comparisons, which no timer waits for: so it may be long.
 * @returns milliseconds
 */
export function duration(): Milliseconds<number> {
  const leaf = textLeaf({
    title: 'duration',
    expected: EXPECTED,
    parse: parseDuration,
    format: formatDuration,
  });
  return milliseconds(leaf);
}

/**
 * A duration that a timer waits for, at most a day: beyond 2^31 - 1 ms, Node's timers fire at once.
 * @returns milliseconds
 */
export function wait(leastMs: number): Milliseconds<number> {
  const parse = (text: string): number => {
    const ms = parseDuration(text);
    if (ms >= leastMs && ms <= 86_400_000) return ms;
    throw new ValueError(`a duration from ${formatDuration(leastMs)} to 1d`);
  };
  const expected = 'a duration such as 90s or 5m';
  return milliseconds(textLeaf({ title: 'duration', expected, parse, format: formatDuration }));
}

/**
 * A time between two beginnings of something.
 * @returns milliseconds
 */
export function interval(leastMs: number): Milliseconds<number> {
  const parse = (text: string): number => {
    const ms = parseDuration(text);
    if (ms >= leastMs) return ms;
    throw new ValueError(`a duration from ${formatDuration(leastMs)}`);
  };
  const title = `duration from \`${formatDuration(leastMs)}\``;
  return milliseconds(textLeaf({ title, expected: EXPECTED, parse, format: formatDuration }));
}

/** @returns milliseconds; undefined for `never` */
export function durationOrNever(): Milliseconds<number | undefined> {
  const leaf = textLeaf({
    title: 'duration or `never`',
    expected: 'a duration such as 12h or 30d, or never',
    parse: (text) => (text === 'never' ? undefined : parseDuration(text)),
    format: (ms) => (ms === undefined ? 'never' : formatDuration(ms)),
  });
  return milliseconds(leaf);
}

function milliseconds<T>(leaf: Leaf<T>): Milliseconds<T> {
  return leaf.meta({ unit: 'ms' }) as Milliseconds<T>;
}

/** Returns whether a schema without wrappers is a leaf of milliseconds. */
export function isMilliseconds(schema: z.core.$ZodType): boolean {
  return z.globalRegistry.get(schema)?.['unit'] === 'ms';
}
