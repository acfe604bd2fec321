import { shown } from '../config-problem.ts';
import type { ValueContext } from './context.ts';
import { leaf, unchanged, type Leaf } from './leaf.ts';
import { ValueError } from './value-error.ts';

const EXPECTED = 'text, in quotes if it looks like a number';

/** Text that is never shown, neither where it is wrong nor in the configuration that is printed. */
export function secret({ writeSecret }: ValueContext): Leaf<string> {
  return leaf({ title: 'text', read: (value) => textOf(value), write: writeSecret, got: hidden });
}

/** Text that may turn out to be a secret where it is wrong, and then is not shown. */
export function accountName(): Leaf<string> {
  return leaf({ title: 'text', read: (value) => textOf(value), write: unchanged, got: hidden });
}

/** A path beside secrets: with the wrong variable or key it is the secret itself. */
export function accountFile({ resolvePath }: ValueContext): Leaf<string> {
  const read = (value: unknown): string => resolvePath(textOf(value));
  return leaf({ title: 'path', read, write: unchanged, got: hidden });
}

/** A program beside secrets. One without a folder is looked for in PATH. */
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

/** The kind of a value that must not be shown itself. */
export function hidden(value: unknown): string {
  if (typeof value === 'string') return value === '' ? 'empty text' : 'other text';
  return typeof value === 'object' ? shown(value) : `a ${typeof value}`;
}
