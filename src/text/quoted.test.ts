import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoted } from './quoted.ts';

const anyText = fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 300 });

describe('quoted', () => {
  it.each([
    ['plain text', 'latest', '"latest"'],
    ['quotes and backslashes', 'a"b\\c', '"a\\"b\\\\c"'],
    ['line breaks', 'a\r\nb', '"a\\r\\nb"'],
    ["a terminal's control sequence", '\u001b[31m\u009b', '"\\u001b[31m\\u009b"'],
    ['a mark that turns the line around', '\u202e', '"\\u202e"'],
    ['delete', '\u007f', '"\\u007f"'],
  ])('shows %s', (_, text, shown) => {
    expect(quoted(text)).toBe(shown);
  });

  it('returns bounded printable ASCII for any text, from which a short text can be read back', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(quoted(text)).toMatch(/^"[\x20-\x7e]{0,600}"$/);
        expect(JSON.parse(quoted(text.slice(0, 100)))).toBe(text.slice(0, 100));
      }),
    );
  });

  it('cuts 100 kB', () => {
    expect(quoted('a'.repeat(100_000))).toBe(`"${'a'.repeat(97)}..."`);
  });
});
