import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asciiLower } from './ascii.ts';

describe('asciiLower', () => {
  test.each([
    ['GHCR.io:5000', 'ghcr.io:5000'],
    ['', ''],
    ['\u212a.test', '\u212a.test'],
    ['\u0130.test', '\u0130.test'],
    ['\uff27HCR', '\uff27hcr'],
    ['\u00c4', '\u00c4'],
  ])('%j: %j', (text, expected) => expect(asciiLower(text)).toBe(expected));

  test('no other text becomes ASCII', () => {
    const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => isAscii(asciiLower(text)) === isAscii(text)),
    );
  });
});
