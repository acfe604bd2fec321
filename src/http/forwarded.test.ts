import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forwardedProto, parseForwarded, parseXForwardedFor } from './forwarded.ts';

describe('parseXForwardedFor', () => {
  test.each<[string, readonly string[]]>([
    ['192.0.2.1', ['192.0.2.1']],
    ['203.0.113.9, 192.0.2.1', ['192.0.2.1', '203.0.113.9']],
    ['203.0.113.9 ,192.0.2.1:4711', ['192.0.2.1', '203.0.113.9']],
    ['2001:db8::1', ['2001:db8::1']],
    ['[2001:db8::1]:4711', ['2001:db8::1']],
    ['[2001:db8::1]', ['2001:db8::1']],
    ['::ffff:192.0.2.1', ['::ffff:192.0.2.1']],
    ['unknown, 192.0.2.1', ['192.0.2.1', 'unknown']],
    ['192.0.2.1,', ['', '192.0.2.1']],
    [',', ['', '']],
    ['', ['']],
    [`${'x'.repeat(300)}, 192.0.2.1`, ['192.0.2.1', '']],
    [`192.0.2.1${' '.repeat(9000)}`, ['192.0.2.1']],
  ])('%s', (header, hops) => expect(parseXForwardedFor(header)).toEqual(hops));

  test('the last of ten thousand entries count', () => {
    const hops = parseXForwardedFor(`${'203.0.113.9,'.repeat(10_000)}192.0.2.1`);
    expect([hops.length, hops[0], hops[31]]).toEqual([32, '192.0.2.1', '203.0.113.9']);
  });
});

describe('parseForwarded', () => {
  test.each<[string, readonly string[]]>([
    ['for=192.0.2.1', ['192.0.2.1']],
    ['for=203.0.113.9, for=192.0.2.1', ['192.0.2.1', '203.0.113.9']],
    ['For="[2001:db8::17]:4711"', ['2001:db8::17']],
    ['for="192.0.2.43:47011";proto=http;by=203.0.113.60', ['192.0.2.43']],
    ['proto=https;for=192.0.2.1;host="a, b; for=203.0.113.9"', ['192.0.2.1']],
    ['for=192.0.2.1 ; proto=http , for="_SEVKISEK:_port"', ['_SEVKISEK', '192.0.2.1']],
    ['for=unknown', ['unknown']],
    ['for=[2001:db8::1]:80;host=mirror:5000', ['2001:db8::1']],
    ['by=203.0.113.60', ['']],
    [', ,for=192.0.2.1,', ['192.0.2.1']],
    ['for=192.0.2.1;', ['192.0.2.1']],
    ['', []],
    // Text that a client wrote in front must not become a part of the element that the proxy has added.
    ['for="x, for=192.0.2.1', ['']],
    ['for="x, for="[2001:db8::1]"', ['']],
    ['for="x\\", for="[2001:db8::1]:80"', ['']],
    ['for=203.0.113.9;for=192.0.2.1', ['']],
    ['for', ['']],
    ['for=192.0.2.1 203.0.113.9', ['']],
    [`for=${'1'.repeat(9000)}, for=192.0.2.1`, ['']],
  ])('%s', (header, hops) => expect(parseForwarded(header)).toEqual(hops));

  test('text in front of a whole element never changes its meaning, unless it makes the header unreadable', () => {
    const piece = fc.constantFrom(
      'for=',
      '"',
      ',',
      ';',
      '\\',
      ' ',
      'x',
      '[',
      '203.0.113.9',
      'for="a"',
      'by=',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.boolean(), (pieces, quotes) => {
        const own = quotes ? 'for="[2001:db8::1]:80"' : 'for=192.0.2.1';
        const [nearest] = parseForwarded(`${pieces.join('')}, ${own}`);
        expect(['', quotes ? '2001:db8::1' : '192.0.2.1']).toContain(nearest);
      }),
    );
  });
});

describe('forwardedProto', () => {
  test.each<[string, string | undefined]>([
    ['proto=https', 'https'],
    ['for=192.0.2.1;Proto="HTTPS";host=mirror', 'https'],
    ['proto=https, for=192.0.2.1;proto=http', 'https'],
    ['for=192.0.2.1, proto=http', undefined],
    ['for="x, proto=https', undefined],
    ['proto=https;proto=http', undefined],
    ['', undefined],
  ])('%s', (header, proto) => expect(forwardedProto(header)).toBe(proto));
});
