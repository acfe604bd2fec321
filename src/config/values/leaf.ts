import { z } from 'zod';
import { formatByteSize, parseByteSize } from './byte-size.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { shown } from '../config-problem.ts';
import { ValueError, valueOrError } from './value-error.ts';

/** A value of the file, read by `parse`; `title` names its kind in the reference. */
export type Leaf<T> = z.ZodPipe<z.ZodUnknown, z.ZodTransform<T>>;

/**
 * @param parse throws ValueError
 * @param got how a wrong value is shown; a secret must not be
 */
function leaf<T>(
  title: string,
  parse: (value: unknown) => T,
  got: (value: unknown) => string = shown,
): Leaf<T> {
  return z
    .unknown()
    .transform((value, context): T => {
      const result = valueOrError(() => parse(value));
      if (!(result instanceof ValueError)) return result;
      context.issues.push({ code: 'custom', message: `${result.message}, got ${got(value)}`, input: value });
      return z.NEVER;
    })
    .meta({ title });
}

/** A leaf written as text. */
export function textLeaf<T>(title: string, expected: string, parse: (text: string) => T): Leaf<T> {
  return leaf(title, (value) => {
    if (typeof value !== 'string') throw new ValueError(expected);
    return parse(value);
  });
}

/**
 * A duration that is compared with, never waited for: it may be long.
 * @returns milliseconds
 */
export function duration(): Leaf<number> {
  return textLeaf('duration', 'a duration such as 90s, 5m, 12h or 30d', parseDuration);
}

/**
 * A duration that a timer waits for. Node's timers fire at once beyond 2^31 - 1 ms; a day is long enough.
 * @returns milliseconds
 */
export function wait(leastMs: number): Leaf<number> {
  return textLeaf('duration', 'a duration such as 90s or 5m', (text) => {
    const ms = parseDuration(text);
    if (ms < leastMs || ms > 86_400_000) {
      throw new ValueError(`a duration from ${formatDuration(leastMs)} to 1d`);
    }
    return ms;
  });
}

/** A whole number. */
export function count(least: number): Leaf<number> {
  return leaf('whole number', (value) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value;
    throw new ValueError(`a whole number from ${least}`);
  });
}

/** @returns milliseconds; undefined for `never` */
export function durationOrNever(): Leaf<number | undefined> {
  const expected = 'a duration such as 12h or 30d, or never';
  return textLeaf('duration or `never`', expected, (text) =>
    text === 'never' ? undefined : parseDuration(text),
  );
}

/** @returns bytes */
export function byteSize(least = 0): Leaf<number> {
  return leaf('size', (value) => {
    const bytes = readByteSize(value, 'a size such as 512MiB, 50GB or 1024');
    if (bytes < least) throw new ValueError(`a size of at least ${formatByteSize(least)}`);
    return bytes;
  });
}

/** @returns bytes; undefined for `unlimited` */
export function byteSizeOrUnlimited(least: number): Leaf<number | undefined> {
  return leaf('size or `unlimited`', (value) => {
    if (value === 'unlimited') return undefined;
    const bytes = readByteSize(value, 'a size such as 512MiB or 50GB, or unlimited');
    if (bytes < least) throw new ValueError(`a size of at least ${formatByteSize(least)}, or unlimited`);
    return bytes;
  });
}

function readByteSize(value: unknown, expected: string): number {
  if (typeof value !== 'string' && typeof value !== 'number') throw new ValueError(expected);
  return parseByteSize(String(value));
}

/** A path of a file or folder; relative ones start at the config file's folder, `~/` at the home folder. */
export function filePath(): Leaf<string> {
  const expected = 'the path of a file or folder';
  return textLeaf('path', expected, (text) => {
    if (text === '' || text.includes('\0')) throw new ValueError(expected);
    if (text.includes('${'))
      throw new ValueError(`${expected} without variables, which only credentials may hold`);
    return text;
  });
}

/** Text that is never shown, not even where it is wrong. */
export function secretText(
  title = 'text',
  expected = 'text, in quotes if it looks like a number',
  pattern = /./s,
): Leaf<string> {
  const parse = (value: unknown): string => {
    if (typeof value !== 'string' || !pattern.test(value)) throw new ValueError(expected);
    return value;
  };
  return leaf(title, parse, hidden);
}

/** The kind of a value that must not be shown itself. */
export function hidden(value: unknown): string {
  if (typeof value === 'string') return value === '' ? 'empty text' : 'other text';
  return typeof value === 'object' ? shown(value) : `a ${typeof value}`;
}
