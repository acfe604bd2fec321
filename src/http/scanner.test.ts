import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileHeader } from '../../test/support/hostile.ts';
import { QUOTED_STRING, Scanner, headerLines, quote, unquote } from './scanner.ts';

describe('headerLines', () => {
  it.each([
    [undefined, []],
    ['', ['']],
    ['a, b', ['a, b']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
  ])('of %j are %j', (header, lines) => {
    expect(headerLines(header)).toEqual(lines);
  });

  it('are at most 32 of at most 8 KiB, whole or not at all', () => {
    expect(headerLines(Array.from({ length: 100 }, () => 'a'))).toHaveLength(32);
    expect(headerLines(['a'.repeat(8192), 'b'.repeat(8193), 'c'])).toEqual(['a'.repeat(8192), 'c']);
    fc.assert(
      fc.property(hostileHeader, (header) => {
        expect(headerLines(header).join('').length).toBeLessThanOrEqual(32 * 8192);
      }),
    );
  });
});

describe('quote', () => {
  it('is undone by unquote, and is one quoted string', () => {
    const printable = fc.string({ unit: 'grapheme-ascii' });
    fc.assert(
      fc.property(printable, (text) => {
        expect(unquote(quote(text))).toBe(text);
        expect(quote(text)).toMatch(new RegExp(`^${QUOTED_STRING}$`));
      }),
    );
  });

  it('puts a question mark for each character that Node refuses to send', () => {
    expect(quote('naïve\r\n\u202e')).toBe('"na?ve???"');
  });
});

describe('unquote', () => {
  it.each([
    ['token', 'token'],
    ['""', ''],
    [String.raw`"a\"b\\c\d"`, String.raw`a"b\cd`],
  ])('of %s is %s', (text, content) => {
    expect(unquote(text)).toBe(content);
  });
});

describe('Scanner', () => {
  it('reads each part where the last one ended', () => {
    const scanner = new Scanner('ab1');
    expect(scanner.take(/[0-9]/y)).toBeUndefined();
    expect(scanner.take(/([a-z])b/y)?.[1]).toBe('a');
    expect(scanner.isAtEnd).toBe(false);
    expect(scanner.take(/[0-9]/y)?.[0]).toBe('1');
    expect(scanner.isAtEnd).toBe(true);
    expect(scanner.take(/./y)).toBeUndefined();
  });

  it('shares patterns with other scanners', () => {
    const word = /[a-z]+/y;
    const [one, two] = [new Scanner('abc'), new Scanner('de')];
    expect([one.take(word)?.[0], two.take(word)?.[0], one.take(word)]).toEqual(['abc', 'de', undefined]);
  });
});
