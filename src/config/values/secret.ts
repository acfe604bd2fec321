import { shown } from '../config-problem.ts';
import type { ValueContext } from './context.ts';
import { leaf, unchanged, type Leaf } from './leaf.ts';
import { ValueError } from './value-error.ts';

const EXPECTED = 'text, in quotes if it looks like a number';

/** A text that is never shown, neither if it is wrong nor in the printed configuration. */
export function secret({ writeSecret }: ValueContext): Leaf<string> {
  return leaf({ title: 'text', read: (value) => textOf(value), write: writeSecret, got: hidden });
}

/** A text that may be a secret if it is wrong, and then is not shown. */
export function accountName(): Leaf<string> {
  return leaf({ title: 'text', read: (value) => textOf(value), write: unchanged, got: hidden });
}

/** A path beside secrets, hidden in messages: with a wrong variable or key it is the secret itself. */
export function accountFile({ resolvePath }: ValueContext): Leaf<string> {
  const read = (value: unknown): string => resolvePath(textOf(value));
  return leaf({ title: 'path', read, write: unchanged, got: hidden });
}

/** A program beside secrets. A name without a folder is looked up in PATH. */
export function accountProgram(
  expected: string,
  pattern: RegExp,
  { resolvePath }: ValueContext,
): Leaf<string> {
  const read = (value: unknown): string => {
    const program = textOf(value, expected, pattern);
    return program.includes('/') ? resolvePath(program) : program;
  };
  return leaf({ title: 'program', read, write: unchanged, got: hidden });
}

function textOf(value: unknown, expected = EXPECTED, pattern = /./s): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw new ValueError(expected);
  return value;
}

/** Returns only the kind of a value, which must not be shown itself. */
export function hidden(value: unknown): string {
  if (typeof value === 'string') return value === '' ? 'empty text' : 'other text';
  return typeof value === 'object' ? shown(value) : `a ${typeof value}`;
}
