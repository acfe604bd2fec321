import { quoted } from '../text/quoted.ts';

/** Keys and list positions from the root of the file to a value. */
export type KeyPath = readonly (string | number)[];

/** A mistake in the file. */
export interface ConfigProblem {
  readonly path: KeyPath;
  /** The message: `expected …, got …`. */
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

/** Formats a path: `upstreams."ghcr.io".allow[0]`. */
export function formatKeyPath(path: KeyPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += `${text === '' ? '' : '.'}${formatKey(part)}`;
  }
  return text;
}

/** Formats a key as a person writes it: quoted only if it holds more than letters, digits, "-" and "_". */
export function formatKey(key: string): string {
  return /^[\w-]+$/.test(key) ? key : quoted(key);
}

/** Formats a value of the file for a message. Hides text before an "@", which may be the password of a URL. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return quoted(value.replace(/.*@/s, '***@'));
  return typeof value === 'object' ? 'a map' : JSON.stringify(value);
}

/** Joins words: `one, two or three`. */
export function alternatives(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}
