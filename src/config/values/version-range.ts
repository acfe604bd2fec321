import { parseVersionRange, VersionRangeError } from '../../versions/range.ts';
import { textLeaf, unchanged, type Leaf } from './leaf.ts';
import { ValueError } from './value-error.ts';

const EXPECTED = 'a range of versions such as ">=1.2 <2", "^1.2" or "1.x"';

/** A range of versions, as it is written. */
export function versionRange(): Leaf<string> {
  const parse = (text: string): string => {
    try {
      parseVersionRange(text);
      return text;
    } catch (error) {
      if (!(error instanceof VersionRangeError)) throw error;
      throw new ValueError(EXPECTED);
    }
  };
  return textLeaf({ title: 'range of versions', expected: EXPECTED, parse, format: unchanged });
}
