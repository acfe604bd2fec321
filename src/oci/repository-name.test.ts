import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../test/support/code-of.ts';
import { isRepositoryName, parseRepositoryName } from './repository-name.ts';

describe('parseRepositoryName', () => {
  it.each([
    'a',
    'library/debian',
    'acme/team/app',
    'a/manifests/b/blobs/tags/uploads/referrers',
    'a.b_c__d-e---f',
    '0/1',
    'a'.repeat(255),
  ])('takes %s', (text) => {
    expect(parseRepositoryName(text)).toBe(text);
  });

  it.each([
    ['nothing', ''],
    ['an upper-case letter', 'Library/debian'],
    ['an empty segment', 'library//debian'],
    ['a slash before', '/debian'],
    ['a slash behind', 'debian/'],
    ['a parent', 'library/../debian'],
    ['a dot', '.'],
    ['two dots inside', 'a..b'],
    ['three underscores', 'a___b'],
    ['a separator first', '-a'],
    ['a separator last', 'a-'],
    ['mixed separators', 'a.-b'],
    ['percent-encoding', 'a%2fb'],
    ['a colon', 'example.com:project/app'],
    ['a line break behind it', 'debian\n'],
    ['256 characters', 'a'.repeat(256)],
    ['a letter beyond ASCII', 'débian'],
  ])('refuses %s', (_, text) => {
    expect(isRepositoryName(text)).toBe(false);
    expect(codeOf(() => parseRepositoryName(text))).toBe('NAME_INVALID');
  });

  it('takes every name of the grammar', () => {
    const word = fc.stringMatching(/^[a-z0-9]{1,4}$/);
    const separator = fc.constantFrom('.', '_', '__', '-', '--', '---');
    const segment = fc
      .tuple(word, fc.array(fc.tuple(separator, word), { maxLength: 3 }))
      .map(([first, rest]) => first + rest.flat().join(''));
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 5 }), (segments) => {
        expect(isRepositoryName(segments.join('/'))).toBe(true);
      }),
    );
  });

  it('throws only RegistryError, with a short message, on 100 kB of text that makes patterns backtrack', () => {
    const part = fc.constantFrom('a', '-', '_', '__', '.', '/', 'a-', '\n', '\u202e', '\u009b');
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const hostile = parts.join('').repeat(Math.ceil(100_000 / parts.join('').length));
        expect(codeOf(() => parseRepositoryName(hostile))).toBe('NAME_INVALID');
        expect(() => parseRepositoryName(hostile)).toThrow(/^[\x20-\x7e]{1,1000}$/);
      }),
    );
  });

  it('decides on the longest segments that nearly match', () => {
    for (const tail of ['-', '_', '.', '!']) {
      for (const unit of ['a', 'a-', 'a--', 'a_', 'a__', 'a.']) {
        expect(isRepositoryName(unit.repeat(255).slice(0, 254 - (254 % unit.length)) + tail)).toBe(false);
      }
    }
  });
});
