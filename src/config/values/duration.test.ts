import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';
import { ValueError, valueOrError } from './value-error.ts';

describe('parseDuration', () => {
  it.each([
    ['0s', 0],
    ['250ms', 250],
    ['90s', 90_000],
    ['5m', 300_000],
    ['12h', 43_200_000],
    ['30d', 2_592_000_000],
    ['1h30m', 5_400_000],
    ['1d2h3m4s5ms', 93_784_005],
    ['1.5d', 129_600_000],
    ['0.1s', 100],
    ['1.1s', 1100],
    ['0.0004s', 0],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    '',
    '5',
    's',
    '-5m',
    '+5m',
    '5 minutes',
    '5 m',
    ' 5m',
    '5m ',
    '5M',
    '5min',
    '1w',
    '30m1h',
    '1h1h',
    '1,5h',
    '1_000s',
    '1e3s',
    '.5s',
    '5.s',
    'never',
    'NaNs',
    '999999999999999d',
    '٣s',
  ])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(new ValueError('a duration such as 90s, 5m, 12h or 30d'));
  });

  it('reads what formatDuration writes', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });

  it('throws nothing but ValueError, and never gives a negative or fractional number', () => {
    const nearly = fc.stringMatching(/^[-+ .0-9dhms]{0,20}$/);
    fc.assert(
      fc.property(fc.oneof(nearly, fc.string({ unit: 'binary' })), (text) => {
        const ms = valueOrError(() => parseDuration(text));
        expect(ms instanceof ValueError || (Number.isSafeInteger(ms) && ms >= 0)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [999, '999ms'],
    [90_000, '1m30s'],
    [2_592_000_000, '30d'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
