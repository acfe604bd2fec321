import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileLine } from '../../../test/support/hostile.ts';
import { resolveRanges } from './range-set.ts';
import {
  formatContentRange,
  formatRange,
  formatUnsatisfied,
  parseContentRange,
  parseRange,
  resolveRange,
  type RangeSpec,
  type SingleRange,
} from './range.ts';

const HUGE = Number.MAX_SAFE_INTEGER;

const position = fc.nat({ max: 2 ** 31 - 2 });
const singleRange: fc.Arbitrary<SingleRange> = fc.oneof(
  fc.record({ kind: fc.constant('from' as const), start: position }),
  fc
    .tuple(position, position)
    .map(([a, b]) => ({ kind: 'slice' as const, start: Math.min(a, b), end: Math.max(a, b) + 1 })),
  fc.record({ kind: fc.constant('suffix' as const), length: position }),
);

const from = (start: number): SingleRange => ({ kind: 'from', start });
const slice = (start: number, end: number): SingleRange => ({ kind: 'slice', start, end });
const suffix = (length: number): SingleRange => ({ kind: 'suffix', length });

function parsed(header: string): SingleRange {
  const range = parseRange(header);
  if (range === undefined || range.kind === 'several') throw new Error(`${header} is not one range`);
  return range;
}

describe('parseRange', () => {
  it.each<[string, string | undefined, RangeSpec | undefined]>([
    ['no header', undefined, undefined],
    ['from a position on', 'bytes=5-', { kind: 'from', start: 5 }],
    ['a slice', 'bytes=500-1499', { kind: 'slice', start: 500, end: 1500 }],
    ['one byte', 'bytes=0-0', { kind: 'slice', start: 0, end: 1 }],
    ['a suffix', 'bytes=-500', { kind: 'suffix', length: 500 }],
    ['an empty suffix', 'bytes=-0', { kind: 'suffix', length: 0 }],
    ['a slice that ends before it starts', 'bytes=500-0', { kind: 'slice', start: 500, end: 1 }],
    ['several', 'bytes=0-1,5-,-7', { kind: 'several', ranges: [slice(0, 2), from(5), suffix(7)] }],
    ['several with spaces', 'bytes=0-1 ,\t5-', { kind: 'several', ranges: [slice(0, 2), from(5)] }],
    ['one among empty members', 'bytes=, 0-1 ,', { kind: 'slice', start: 0, end: 2 }],
    ['the unit in any case', 'Bytes=5-', { kind: 'from', start: 5 }],
    ['spaces around it', ' bytes=5- ', { kind: 'from', start: 5 }],
    ['leading zeros', 'bytes=005-', { kind: 'from', start: 5 }],
    ['numbers beyond every size', `bytes=5-${'9'.repeat(400)}`, { kind: 'slice', start: 5, end: HUGE }],
    ['another unit', 'items=0-1', undefined],
    ['no unit', '0-1', undefined],
    ['no range', 'bytes=', undefined],
    ['only separators', 'bytes=, ,', undefined],
    ['a dash alone', 'bytes=-', undefined],
    ['one number', 'bytes=5', undefined],
    ['two dashes', 'bytes=0-1-2', undefined],
    ['a sign', 'bytes=+1-2', undefined],
    ['a fraction', 'bytes=0.5-2', undefined],
    ['hexadecimal', 'bytes=0x1-2', undefined],
    ['a space inside', 'bytes=0 -1', undefined],
    ['one bad member among several', 'bytes=0-1,x', undefined],
    ['digits of another script', 'bytes=٠-١', undefined],
    ['more than 48 KiB', `bytes=${'0-1,'.repeat(13_000)}`, undefined],
  ])('reads %s', (_, header, range) => {
    expect(parseRange(header)).toEqual(range);
  });

  it('reads back what formatRange writes', () => {
    fc.assert(
      fc.property(singleRange, (range) => {
        expect(parseRange(formatRange(range))).toEqual(range);
      }),
    );
  });

  it('never throws, and reads only ranges that can be resolved', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          hostileLine,
          hostileLine.map((line) => `bytes=${line}`),
          fc.stringMatching(/^bytes=[0-9, -]{0,30}$/),
        ),
        fc.maxSafeNat(),
        (header, size) => {
          const range = parseRange(header);
          const resolved = range === undefined ? 'whole' : resolveRanges(range, size);
          expect(typeof resolved === 'string' || resolved.every(({ end }) => end <= size)).toBe(true);
        },
      ),
    );
  });
});

describe('resolveRange', () => {
  const part = (start: number, end: number, size: number) => ({ start, end, size });

  it.each<[string, string, number, ReturnType<typeof resolveRange>]>([
    ['a slice', 'bytes=500-1499', 2048, part(500, 1500, 2048)],
    ['from a position on', 'bytes=500-', 2048, part(500, 2048, 2048)],
    ['everything', 'bytes=0-', 2048, part(0, 2048, 2048)],
    ['a suffix', 'bytes=-500', 2048, part(1548, 2048, 2048)],
    ['a suffix beyond the start', 'bytes=-5000', 2048, part(0, 2048, 2048)],
    ['an end beyond the last byte', 'bytes=2000-5000', 2048, part(2000, 2048, 2048)],
    ['an end at the size, as regclient resumes', 'bytes=2000-2048', 2048, part(2000, 2048, 2048)],
    ['an end beyond every size', `bytes=0-${'9'.repeat(400)}`, 2048, part(0, 2048, 2048)],
    ['a start beyond the last byte', 'bytes=5000-10000', 2048, 'unsatisfiable'],
    ['a start at the size', 'bytes=2048-', 2048, 'unsatisfiable'],
    ['a start beyond every size', `bytes=${'9'.repeat(400)}-`, 2048, 'unsatisfiable'],
    [
      'a start beyond every size, of the largest body',
      `bytes=${'9'.repeat(400)}-`,
      HUGE - 1,
      'unsatisfiable',
    ],
    ['an end before the start', 'bytes=500-0', 2048, 'unsatisfiable'],
    ['an empty suffix', 'bytes=-0', 2048, 'unsatisfiable'],
    ['everything of an empty body', 'bytes=0-', 0, 'whole'],
    ['a suffix of an empty body', 'bytes=-5', 0, 'whole'],
  ])('of %s', (_, header, size, expected) => {
    expect(resolveRange(parsed(header), size)).toEqual(expected);
  });

  it('gives at least a byte, inside the body, and all that was asked for and exists', () => {
    const asked = (range: SingleRange, at: number, size: number): boolean => {
      if (range.kind === 'suffix') return at >= size - range.length;
      return at >= range.start && (range.kind === 'from' || at < range.end);
    };
    fc.assert(
      fc.property(singleRange, fc.integer({ min: 1, max: 40 }), (range, size) => {
        const small =
          range.kind === 'suffix'
            ? { ...range, length: range.length % 50 }
            : { ...range, start: range.start % 50, ...(range.kind === 'slice' && { end: range.end % 50 }) };
        const resolved = resolveRange(small, size);
        const sent = typeof resolved === 'string' ? [] : bytesOf(resolved);
        expect(sent).toEqual(bytesOf({ start: 0, end: size }).filter((at) => asked(small, at, size)));
        expect(resolved === 'unsatisfiable').toBe(sent.length === 0);
      }),
    );
  });
});

function bytesOf({ start, end }: { start: number; end: number }): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}

describe('Content-Range', () => {
  it('is written with an inclusive end', () => {
    expect(formatContentRange({ start: 0, end: 1, size: 10 })).toBe('bytes 0-0/10');
    expect(formatContentRange({ start: 0, end: 1, size: undefined })).toBe('bytes 0-0/*');
    expect(formatUnsatisfied(10)).toBe('bytes */10');
  });

  it('is read back', () => {
    const range = fc
      .tuple(fc.maxSafeNat(), fc.maxSafeNat(), fc.option(fc.maxSafeNat(), { nil: undefined }))
      .map(([a, b, size]) => ({ start: Math.min(a, b), end: Math.max(a, b), size }))
      .filter(({ start, end, size }) => start < end && (size === undefined || end <= size));
    fc.assert(
      fc.property(range, (range) => {
        expect(parseContentRange(formatContentRange(range))).toEqual(range);
      }),
    );
  });

  it.each([
    ['no header', undefined],
    ['nothing', ''],
    ['that of a 416', 'bytes */10'],
    ['another unit', 'items 0-1/10'],
    ['an end before the start', 'bytes 5-4/10'],
    ['an end beyond the size', 'bytes 0-10/10'],
    ['no size', 'bytes 0-1'],
    ["an upload's, which has no unit", '0-1'],
    ['numbers that are not exact', `bytes 0-1/${'9'.repeat(30)}`],
    ['numbers that are not exact, size untold', `bytes 0-${'9'.repeat(30)}/*`],
    ['100 kB of digits', `bytes 0-1/${'1'.repeat(100_000)}`],
  ])('is not %s', (_, header) => {
    expect(parseContentRange(header)).toBeUndefined();
  });

  it('never makes the reader throw', () => {
    fc.assert(
      fc.property(hostileLine, (line) => {
        expect(parseContentRange(`bytes ${line}`)).toBeUndefined();
      }),
    );
  });
});
