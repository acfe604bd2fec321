import picomatch from 'picomatch';
import { textLeaf, unchanged, type Leaf } from './leaf.ts';
import { ValueError } from './value-error.ts';

const EXPECTED = 'a glob such as library/* or team/**';

/** Long enough for every repository name (255 characters) and tag. */
const MAX_LENGTH = 512;

/**
 * A picomatch glob. Negation is refused: in a list it would match nearly everything.
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

/** Whether a text matches any of the globs; none of them matches nothing. A dot is a letter like others. */
export function matcherOf(globs: readonly string[]): (text: string) => boolean {
  return globs.length === 0 ? () => false : picomatch([...globs], { dot: true });
}

/** A picomatch glob, as it is written. */
export function glob(): Leaf<string> {
  return textLeaf({ title: 'glob', expected: EXPECTED, parse: parseGlob, format: unchanged });
}
