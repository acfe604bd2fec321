import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatByteSize, parseByteSize } from './byte-size.ts';
import { ValueError, valueOrError } from './value-error.ts';

describe('parseByteSize', () => {
  it.each([
    ['0', 0],
    ['1024', 1024],
    ['1024B', 1024],
    ['1kB', 1000],
    ['1KB', 1000],
    ['1KiB', 1024],
    ['512MiB', 536_870_912],
    ['50GB', 50_000_000_000],
    ['10GiB', 10_737_418_240],
    ['2TB', 2_000_000_000_000],
    ['2TiB', 2_199_023_255_552],
    ['7PiB', 7_881_299_347_898_368],
    ['1.5GiB', 1_610_612_736],
    ['0.1GB', 100_000_000],
    ['1.1kB', 1100],
    ['0.1GiB', 107_374_182],
    ['0.0001B', 0],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseByteSize(text)).toBe(bytes);
  });

  it.each([
    '',
    'GB',
    '-1GB',
    '+1',
    '5x',
    '10 GiB',
    '10Gi',
    '10G',
    '10gb',
    '10Gb',
    '10gib',
    '1e9',
    '1_000',
    '0x10',
  ])('refuses %j', (text) => {
    expect(() => parseByteSize(text)).toThrow(new ValueError('a size such as 512MiB, 50GB or 1024'));
  });

  it.each(['8PiB', '9007199254740992', '9999999999999999PB'])(
    'refuses %s, which a number cannot hold',
    (text) => {
      expect(() => parseByteSize(text)).toThrow(new ValueError('a size below 8PiB'));
    },
  );

  it('reads what formatByteSize writes', () => {
    const round = fc.tuple(fc.nat({ max: 8191 }), fc.constantFrom(1000, 1024), fc.nat({ max: 4 }));
    const sizes = fc.oneof(
      fc.maxSafeNat(),
      round.map(([count, base, power]) => count * base ** power),
    );
    fc.assert(
      fc.property(sizes, (bytes) => {
        expect(parseByteSize(formatByteSize(bytes))).toBe(bytes);
      }),
    );
  });

  it('computes binary and decimal units exactly', () => {
    fc.assert(
      fc.property(fc.nat({ max: 8388 }), fc.nat({ max: 999 }), (whole, thousandths) => {
        const text = `${whole}.${String(thousandths).padStart(3, '0')}`;
        expect(parseByteSize(`${text}GB`)).toBe(whole * 1e9 + thousandths * 1e6);
        expect(parseByteSize(`${text}GiB`)).toBe(
          whole * 2 ** 30 + Math.floor((thousandths * 2 ** 30) / 1000),
        );
      }),
    );
  });

  it('throws nothing but ValueError, and never gives a negative or fractional number', () => {
    const nearly = fc.stringMatching(/^[-+ .0-9]{0,20}[kKMGTPiB]{0,4}$/);
    fc.assert(
      fc.property(fc.oneof(nearly, fc.string({ unit: 'binary' })), (text) => {
        const bytes = valueOrError(() => parseByteSize(text));
        expect(bytes instanceof ValueError || (Number.isSafeInteger(bytes) && bytes >= 0)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('formatByteSize', () => {
  it.each([
    [0, '0'],
    [1, '1'],
    [1023, '1023'],
    [1024, '1KiB'],
    [53_687_091_200, '50GiB'],
    [50_000_000_000, '50GB'],
    [1536, '1536'],
  ])('%d bytes is %s', (bytes, text) => {
    expect(formatByteSize(bytes)).toBe(text);
  });
});
