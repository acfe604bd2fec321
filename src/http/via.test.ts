import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileHeader } from '../../test/support/hostile.ts';
import type { HeaderLines } from './scanner.ts';
import { formatVia, parseVia } from './via.ts';

describe('parseVia', () => {
  it.each<[string, HeaderLines, string[]]>([
    ['no header', undefined, []],
    ['one', '1.1 larder-a1', ['a1']],
    ['several, in order', '1.1 larder-a, 1.1 larder-b', ['a', 'b']],
    ['several lines', ['1.1 larder-a', '1.0 larder-b'], ['a', 'b']],
    ['a protocol and a comment', 'HTTP/1.1 larder-a (a, comment)', ['a']],
    ['among others', '1.1 proxy.inside:3128, 1.1 larder-a, 2 fred (squid)', ['a']],
    ['another proxy that mentions one', '1.1 proxy (larder-a)', []],
    ['a name that only begins so', '1.1 larder-a.example, 1.1 larder-', []],
    ['an id that is too long', `1.1 larder-${'a'.repeat(65)}`, []],
    ['nonsense', ', ,1.1,larder-a', []],
  ])('reads %s', (_, header, ids) => {
    expect(parseVia(header)).toEqual(ids);
  });

  it('reads back any Via that formatVia writes', () => {
    const id = fc.uuid();
    fc.assert(
      fc.property(fc.array(id, { maxLength: 20 }), (ids) => {
        expect(parseVia(formatVia(ids))).toEqual(ids);
      }),
    );
  });

  it('never throws', () => {
    fc.assert(fc.property(hostileHeader, (header) => void parseVia(header)));
  });
});
