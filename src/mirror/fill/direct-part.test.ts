import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SingleRange } from '../../http/ranges/range.ts';
import { directPart, type FillInView } from './direct-part.ts';

const MiB = 1024 * 1024;
const SIZE = 400 * MiB;

function fill(view: Partial<FillInView> = {}): FillInView {
  return { size: SIZE, offset: 0, followers: 1, directBytes: 0, ...view };
}

function slice(start: number, length: number): SingleRange {
  return { kind: 'slice', start, end: start + length };
}

describe('a closed range', () => {
  test.each<[string, SingleRange, { start: number; end: number }]>([
    ['a slice', slice(100 * MiB, 1000), { start: 100 * MiB, end: 100 * MiB + 1000 }],
    ['the last bytes', { kind: 'suffix', length: 47 }, { start: SIZE - 47, end: SIZE }],
    ['the last bytes by their positions', slice(SIZE - 47, 47), { start: SIZE - 47, end: SIZE }],
    ['as much as may be', slice(300 * MiB, 100 * MiB), { start: 300 * MiB, end: SIZE }],
  ])('far ahead is fetched by itself, even if others read the fill: %s', (_, range, part) => {
    expect(directPart(range, fill({ followers: 7 }))).toEqual(part);
  });

  test('near the fill follows it', () => {
    expect(directPart(slice(108 * MiB, 9), fill({ offset: 100 * MiB }))).toBeUndefined();
    expect(directPart(slice(108 * MiB + 1, 9), fill({ offset: 100 * MiB }))).toBeDefined();
  });

  test('behind the fill follows it', () => {
    expect(directPart(slice(0, 9), fill({ offset: 100 * MiB }))).toBeUndefined();
  });

  test('follows once a quarter of the blob was fetched beside the fill', () => {
    expect(directPart(slice(200 * MiB, 1), fill({ directBytes: 100 * MiB }))).toBeUndefined();
    expect(directPart(slice(200 * MiB, 1), fill({ directBytes: 100 * MiB - 1 }))).toBeDefined();
    expect(directPart(slice(200 * MiB, 100 * MiB + 1), fill())).toBeUndefined();
  });
});

describe('an open-ended range', () => {
  const rest: SingleRange = { kind: 'from', start: 350 * MiB };

  test('follows if others read the fill: it is one of several that want the whole between them', () => {
    expect(directPart(rest, fill())).toBeUndefined();
  });

  test('that is the only reader, and wants little, is the rest of a download: it is fetched by itself', () => {
    expect(directPart(rest, fill({ followers: 0 }))).toEqual({ start: 350 * MiB, end: SIZE });
  });

  test('follows if the rest is large', () => {
    expect(directPart({ kind: 'from', start: 100 * MiB }, fill({ followers: 0 }))).toBeUndefined();
  });

  test('may be written as one with an end beyond the last byte', () => {
    expect(directPart(slice(350 * MiB, 50 * MiB + 1), fill())).toBeUndefined();
    expect(directPart(slice(350 * MiB, 50 * MiB), fill())).toBeDefined();
  });
});

test.each<[string, SingleRange | undefined, number | undefined]>([
  ['no range', undefined, SIZE],
  ['a range that has none of the bytes', slice(SIZE, 1), SIZE],
  ['a range of a blob of unknown size', slice(100 * MiB, 1), undefined],
])('%s: follows', (_, range, size) => {
  expect(directPart(range, fill({ size }))).toBeUndefined();
});

test('whatever ranges are asked for, no more than a quarter of the blob is fetched beside the fill', () => {
  const ranges = fc.array(fc.record({ start: fc.nat(SIZE), length: fc.nat(SIZE), offset: fc.nat(SIZE) }));
  fc.assert(
    fc.property(ranges, (asked) => {
      let directBytes = 0;
      for (const { start, length, offset } of asked) {
        const part = directPart(slice(start, length), fill({ offset, directBytes }));
        directBytes += part === undefined ? 0 : (part.end ?? SIZE) - part.start;
      }
      expect(directBytes).toBeLessThanOrEqual(SIZE / 4);
    }),
  );
});
