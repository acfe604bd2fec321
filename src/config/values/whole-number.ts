import { leaf, unchanged, type Leaf } from './leaf.ts';
import { ValueError } from './value-error.ts';

/** A whole number. */
export function count(least: number): Leaf<number> {
  const read = (value: unknown): number => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value;
    throw new ValueError(`a whole number from ${least}`);
  };
  return leaf({ title: 'whole number', read, write: unchanged });
}
