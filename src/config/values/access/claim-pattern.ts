import { leaf, unchanged, type Leaf } from '../leaf.ts';
import { ValueError } from '../value-error.ts';

/** The text that a claim must have, in which `*` stands for any characters. Numbers and booleans become text. */
export function claimPattern(): Leaf<string> {
  const read = (value: unknown): string => {
    const isScalar = ['string', 'number', 'boolean'].includes(typeof value);
    if (!isScalar || value === '') throw new ValueError('a text, a number, true or false');
    return String(value);
  };
  return leaf({ title: 'text', read, write: unchanged });
}

/** The name of a claim. */
export function claimName(): Leaf<string> {
  const read = (value: unknown): string => {
    if (typeof value !== 'string' || value === '')
      throw new ValueError('the name of a claim, such as groups');
    return value;
  };
  return leaf({ title: 'text', read, write: unchanged });
}
