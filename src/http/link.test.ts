import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileHeader } from '../../test/support/hostile.ts';
import { formatNextLink, parseNextLink } from './link.ts';
import type { HeaderLines } from './scanner.ts';

const read = (header: HeaderLines) => parseNextLink(header)?.toString();

describe('parseNextLink', () => {
  it.each<[string, HeaderLines, string | undefined]>([
    ['no header', undefined, undefined],
    ['an empty one', '', undefined],
    ['a path', '</v2/a/tags/list?n=2&last=b>; rel="next"', 'n=2&last=b'],
    [
      'an absolute URL, of which only the query counts',
      '<https://evil.example/v2/?last=b&n=2>; rel="next"',
      'last=b&n=2',
    ],
    ["ACR's empty parameter", '</v2/a/tags/list?last=v1&n=2&orderby=>; rel="next"', 'last=v1&n=2&orderby='],
    ['a query alone', '<?last=b>; rel=next', 'last=b'],
    ['percent-encoding', '</?last=a%2Bb%26c>; rel="next"', 'last=a%2Bb%26c'],
    ['a fragment', '</?last=b#x?y=z>; rel="next"', 'last=b'],
    ['a relation in any case', '</?last=b>; REL="Next"', 'last=b'],
    ['one of several relations', '</?last=b>; rel="last next"', 'last=b'],
    ['the one among several links', '</?last=a>; rel="prev", </?last=b>; rel="next"', 'last=b'],
    ['several lines', ['</?last=a>; rel="prev"', '</?last=b>; rel="next"'], 'last=b'],
    ['a good line behind a broken one', ['<', '</?last=b>; rel="next"'], 'last=b'],
    ['another relation', '</?last=b>; rel="prev"', undefined],
    ['no query', '</v2/a/tags/list>; rel="next"', undefined],
    ['an empty query', '</v2/a/tags/list?>; rel="next"', undefined],
    ['no brackets', '/v2/a/tags/list?last=b; rel="next"', undefined],
    ['an unclosed bracket', '</v2/a/tags/list?last=b; rel="next"', undefined],
    ['a broken extended attribute', '</?last=b>; rel="next"; title*=x', undefined],
    [
      'an attribute that would replace the target',
      '</?last=b>; uri="http://evil/?x=y"; rel="next"',
      undefined,
    ],
    ['too many parameters', `</?${'a=b&'.repeat(17)}>; rel="next"`, undefined],
    ['a line of more than 4 KiB', `</?last=${'a'.repeat(4096)}>; rel="next"`, undefined],
    [
      'a good line behind many others',
      [...Array<string>(10).fill('<a>'), '</?last=b>; rel="next"'],
      undefined,
    ],
  ])('reads %s', (_, header, query) => {
    expect(read(header)).toBe(query);
  });

  it('never throws, and gives a bounded query', () => {
    fc.assert(
      fc.property(hostileHeader, (header) => {
        const query = parseNextLink(header);
        expect(query?.size ?? 0).toBeLessThanOrEqual(16);
        expect(query?.toString().length ?? 0).toBeLessThanOrEqual(4096 * 9);
      }),
    );
  });
});

describe('formatNextLink', () => {
  it('is relative', () => {
    const query = new URLSearchParams({ n: '2', last: 'v1' });
    expect(formatNextLink('/v2/library/debian/tags/list', query)).toBe(
      '</v2/library/debian/tags/list?n=2&last=v1>; rel="next"',
    );
  });

  it('is read back, whatever the query holds', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 4 }), (entries) => {
        const query = new URLSearchParams(entries);
        expect(read(formatNextLink('/v2/a/tags/list', query))).toBe(query.toString());
      }),
    );
  });
});
