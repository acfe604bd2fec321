import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatReasonPhrase } from './reason-phrase.ts';

describe('formatReasonPhrase', () => {
  test.each([
    ['docker.io: does not answer: ECONNREFUSED', 'docker.io: does not answer: ECONNREFUSED'],
    ['ghcr.io: says "no"', 'ghcr.io: says "no"'],
    ['a\r\nX-Injected: 1', 'a X-Injected: 1'],
    ['a\u0085b\u202ec\0\u001b[31m', 'a b c [31m'],
    ['größer \u2026 日本語', 'gr?er ? ?'],
    [' \n ', ''],
    ['x'.repeat(200), 'x'.repeat(200)],
    ['x'.repeat(201), `${'x'.repeat(197)}...`],
  ])('%j: %j', (message, phrase) => expect(formatReasonPhrase(message)).toBe(phrase));

  test('is one line of printable ASCII, and never long', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (message) => {
        expect(formatReasonPhrase(message)).toMatch(/^[ -~]{0,200}$/);
      }),
    );
  });
});
