import * as fc from 'fast-check';
import picomatch from 'picomatch';
import { describe, expect, it } from 'vitest';
import { matcherOf, parseGlob } from './glob.ts';
import { ValueError, valueOrError } from './value-error.ts';

describe('parseGlob', () => {
  it.each(['**', 'library/*', 'team/**', 'v[0-9]*', '{a,b}/*', 'a?', '+(a|b)', 'library/debian'])(
    'reads %s',
    (text) => {
      expect(parseGlob(text)).toBe(text);
    },
  );

  it.each(['', '!team/**', '[', 'a]', '(a', 'a)', '{a,b', '+(a', 'a'.repeat(513)])('refuses %j', (text) => {
    expect(() => parseGlob(text)).toThrow(ValueError);
  });

  it('accepts only globs that picomatch can use', () => {
    fc.assert(
      fc.property(fc.oneof(fc.stringMatching(/^[-!?*+@(){}[\]|,/.a-c\\]{0,20}$/), fc.string()), (text) => {
        const glob = valueOrError(() => parseGlob(text));
        expect(glob instanceof ValueError || typeof picomatch(glob)('library/debian') === 'boolean').toBe(
          true,
        );
      }),
      { numRuns: 1000 },
    );
  });
});

describe('matcherOf', () => {
  it('matches if any glob matches; no globs match nothing', () => {
    const matches = matcherOf(['team/**', 'tool']);
    expect(['team/a/b', 'tool', 'team', 'other', 'team/.hidden'].map(matches)).toEqual([
      true,
      true,
      true,
      false,
      true,
    ]);
    expect(matcherOf([])('anything')).toBe(false);
  });
});
