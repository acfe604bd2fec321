import { quoted } from '../text/quoted.ts';

/** Keys and list positions from the root of the file to what is wrong. */
export type KeyPath = readonly (string | number)[];

/** One thing that is wrong with the file. */
export interface ConfigProblem {
  readonly path: KeyPath;
  /** `expected …, got …` */
  readonly message: string;
}

/** A configuration that cannot be used. `lines` names every mistake, one line each, in the file's order. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly lines: readonly string[];

  constructor(lines: readonly string[], options: { cause?: unknown } = {}) {
    super(lines.join('\n'), options);
    this.lines = lines;
  }
}

/** `upstreams."ghcr.io".allow[0]` */
export function formatKeyPath(path: KeyPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += `${text === '' ? '' : '.'}${formatKey(part)}`;
  }
  return text;
}

/** A key as a person would write it: quoted only where it holds more than letters, digits, "-" and "_". */
export function formatKey(key: string): string {
  return /^[\w-]+$/.test(key) ? key : quoted(key);
}

/** A value of the file for use in a message. What stands before an "@" may be the password of a URL and is hidden. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return quoted(value.replace(/.*@/s, '***@'));
  return typeof value === 'object' ? 'a map' : JSON.stringify(value);
}

/** `one, two or three` */
export function alternatives(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}
