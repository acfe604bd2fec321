import picomatch from 'picomatch';
import { textLeaf, unchanged, type Leaf } from './leaf.ts';
import { ValueError } from './value-error.ts';

const EXPECTED = 'a glob such as library/* or team/**';

/** Long enough for every repository name (255 characters) and tag. */
const MAX_LENGTH = 512;

/**
 * Reads a picomatch glob. Refuses negation, which would match nearly everything in a list.
 * @returns the text itself
 * @throws ValueError
 */
export function parseGlob(text: string): string {
  if (text === '' || text.length > MAX_LENGTH) throw new ValueError(EXPECTED);
  if (text.startsWith('!')) throw new ValueError('a glob that does not start with "!"');
  try {
    picomatch.makeRe(text, { strictBrackets: true });
  } catch {
    throw new ValueError(`${EXPECTED}, its brackets in pairs`);
  }
  return text;
}

/** Returns a function that tests whether a text matches any of the globs. `*` matches dots, too. */
export function matcherOf(globs: readonly string[]): (text: string) => boolean {
  return globs.length === 0 ? () => false : picomatch([...globs], { dot: true });
}

/** A picomatch glob, as it is written. */
export function glob(): Leaf<string> {
  return textLeaf({ title: 'glob', expected: EXPECTED, parse: parseGlob, format: unchanged });
}
