import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileHeader, hostileLine } from '../../test/support/hostile.ts';
import { digestOf } from '../oci/digest.ts';
import { matchesETag, parseETag, parseIfNoneMatch, type ETag, type IfNoneMatch } from './etag.ts';
import type { HeaderLines } from './scanner.ts';

const DIGEST = digestOf('');
const strong = (value: string): ETag => ({ isWeak: false, value });
const weak = (value: string): ETag => ({ isWeak: true, value });
const formatETag = ({ isWeak, value }: ETag): string => `${isWeak ? 'W/' : ''}"${value}"`;

describe('parseETag', () => {
  it.each<[string, string | undefined, ETag | undefined]>([
    ['no header', undefined, undefined],
    ['nothing', '', undefined],
    ['a quoted digest', `"${DIGEST}"`, strong(DIGEST)],
    ["an unquoted one, as distribution's proxy sends it", DIGEST, strong(DIGEST)],
    ['a weak one', `W/"${DIGEST}"`, weak(DIGEST)],
    ['a weak one without quotes', `W/${DIGEST}`, weak(DIGEST)],
    ['an empty one', '""', strong('')],
    ['a comma in quotes', '"a,b"', strong('a,b')],
    ['a backslash, which escapes nothing', String.raw`"a\"`, strong('a\\')],
    ['spaces around it', ' "a" ', strong('a')],
    ['W in lower case, which is no mark of weakness', 'w/"a"', undefined],
    ['two', '"a", "b"', undefined],
    ['half a quote', '"a', undefined],
    ['a quote inside', '"a"b"', undefined],
    ['a space inside', '"a b"', undefined],
    ['100 kB', `"${'a'.repeat(100_000)}"`, undefined],
  ])('reads %s', (_, header, tag) => {
    expect(parseETag(header)).toEqual(tag);
  });

  const value = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((unit) => String.fromCharCode(unit)),
  });
  const tag = fc.record({ isWeak: fc.boolean(), value: value.map((text) => text.replaceAll('"', '')) });

  it('reads back any tag of the grammar', () => {
    fc.assert(
      fc.property(tag, (tag) => {
        expect(parseETag(formatETag(tag))).toEqual(tag);
      }),
    );
  });

  it('reads back lists', () => {
    fc.assert(
      fc.property(fc.array(tag), (tags) => {
        const members = tags.map(formatETag);
        expect(parseIfNoneMatch(members.join(', '))).toEqual(tags);
        expect(parseIfNoneMatch(members.slice(0, 32))).toEqual(tags.slice(0, 32));
      }),
    );
  });

  it('never throws, and gives no more than there is', () => {
    fc.assert(
      fc.property(hostileLine, hostileHeader, (line, header) => {
        expect(parseETag(line)?.value.length ?? 0).toBeLessThanOrEqual(line.length);
        const tags = parseIfNoneMatch(header);
        expect(tags === 'any' || tags.length <= 32 * 8192).toBe(true);
      }),
    );
  });
});

describe('parseIfNoneMatch', () => {
  it.each<[string, HeaderLines, IfNoneMatch]>([
    ['no header', undefined, []],
    ['a star', ' * ', 'any'],
    ['a quoted star, which is a tag', '"*"', [strong('*')]],
    [
      'a list of all forms',
      `"a", W/"b",, ${DIGEST} ,"c,d"`,
      [strong('a'), weak('b'), strong(DIGEST), strong('c,d')],
    ],
    ['lines', ['"a"', 'W/"b"'], [strong('a'), weak('b')]],
    ['the tags before a broken member', '"a", "b" c, "d"', [strong('a')]],
  ])('reads %s', (_, header, expected) => {
    expect(parseIfNoneMatch(header)).toEqual(expected);
  });
});

describe('matchesETag', () => {
  it.each<[string, boolean]>([
    [`"${DIGEST}"`, true],
    [DIGEST, true],
    [`W/"${DIGEST}"`, true],
    [`"other", "${DIGEST}"`, true],
    ['*', true],
    ['', false],
    ['"other"', false],
    [`"${DIGEST.toUpperCase()}"`, false],
  ])('%s: %j', (header, expected) => {
    expect(matchesETag(parseIfNoneMatch(header), DIGEST)).toBe(expected);
  });
});
