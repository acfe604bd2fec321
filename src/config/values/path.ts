import type { ValueContext } from './context.ts';
import { textLeaf, unchanged, type Leaf } from './leaf.ts';
import { ValueError } from './value-error.ts';

const EXPECTED = 'the path of a file or folder';

/** A path of a file or folder; relative ones start from the config file's folder, `~/` is the home folder. */
export function filePath({ resolvePath }: ValueContext): Leaf<string> {
  const parse = (text: string): string => {
    if (text === '' || text.includes('\0')) throw new ValueError(EXPECTED);
    if (text.includes('${'))
      throw new ValueError(`${EXPECTED} without variables, which only credentials may hold`);
    return resolvePath(text);
  };
  return textLeaf({ title: 'path', expected: EXPECTED, parse, format: unchanged });
}
