import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileHeader } from '../../test/support/hostile.ts';
import { formatNextLink, parseNextLink } from './link.ts';
import type { HeaderLines } from './scanner.ts';

const read = (header: HeaderLines): string => parseNextLink(header).toString();

describe('parseNextLink', () => {
  it.each<[string, HeaderLines, string]>([
    ['no header', undefined, 'none'],
    ['an empty one', '', 'none'],
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
    ['another relation', '</?last=b>; rel="prev"', 'none'],
    ['another relation that leads to a page of that name', '</next?a=b>; rel="help"', 'none'],
    ['a next one inside a title', '</?a=b>; title="; rel=next"; rel="help"', 'none'],
    ['no relation, as some clients take it', '</v2/a/tags/list?last=b>', 'last=b'],
    ['no relation and no query', '</v2/a/tags/list>', 'none'],
    ['the page itself', '<>; rel="next"', 'none'],
    ['no brackets', '/v2/a/tags/list?last=b; rel="next"', 'last=b'],
    ['no brackets, and a comma', '/v2/a/tags/list?last=b,c; rel="next"', 'last=b%2Cc'],
    ['a blank before a comma', '</?last=a>; rel="prev" , </?last=b>; rel="next"', 'last=b'],
    ['a blank before a semicolon', '</?last=b> ; rel = "next" ;', 'last=b'],
    ['no semicolon', '</?last=b> rel="next"', 'last=b'],
    ['single quotes', "</?last=b>; rel='next'", 'last=b'],
    ['commas at the ends', ', </?last=b>; rel="next",', 'last=b'],
    ['a quote that does not end', '</?last=b>; rel="next', 'last=b'],
    ['a comma in a target', '</?last=a,b>; rel="next"', 'last=a%2Cb'],
    ['a plus, as it is', '</?last=a+b==>; rel="next"', 'last=a+b%3D%3D'],
    ['a broken extended attribute', '</?last=b>; rel="next"; title*=x', 'last=b'],
    ['an attribute called like the target', '</?last=b>; uri="http://evil/?x=y"; rel="next"', 'last=b'],
    ['a line of more than 4 KiB', `</?last=${'a'.repeat(8000)}>; rel="next"`, `last=${'a'.repeat(8000)}`],
    ['a line behind many others', [...Array<string>(40).fill('<a>'), '</?last=b>; rel="next"'], 'last=b'],
    ['no query', '</v2/a/tags/list>; rel="next"', 'unreadable'],
    ['an empty query', '</v2/a/tags/list?>; rel="next"', 'unreadable'],
    ['an unclosed bracket', '</v2/a/tags/list?last=b; rel="next"', 'unreadable'],
    ['too many parameters', `</?${'a=b&'.repeat(17)}>; rel="next"`, 'unreadable'],
    ['a line of more than 16 KiB', `</?last=${'a'.repeat(16_384)}>; rel="next"`, 'unreadable'],
    ['lines of more than 16 KiB', Array<string>(5000).fill('<a>;'), 'unreadable'],
  ])('reads %s', (_, header, query) => {
    expect(read(header)).toBe(query);
  });

  it('never throws, and gives a bounded query', () => {
    fc.assert(
      fc.property(hostileHeader, (header) => {
        const query = parseNextLink(header);
        if (typeof query === 'string') return;
        expect(query.size).toBeLessThanOrEqual(16);
        expect(query.toString().length).toBeLessThanOrEqual(16_384 * 9);
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

  it('is read back with any query', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 4 }), (entries) => {
        const query = new URLSearchParams(entries);
        expect(read(formatNextLink('/v2/a/tags/list', query))).toBe(query.toString());
      }),
    );
  });
});
