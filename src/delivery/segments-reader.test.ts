import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readByteranges } from '../../test/support/byteranges.ts';
import { planMultipart } from '../http/ranges/multipart.ts';
import { resolveRanges } from '../http/ranges/range-set.ts';
import type { SingleRange } from '../http/ranges/range.ts';
import { BytesReader } from '../store/bytes-reader.ts';
import { SegmentsReader } from './segments-reader.ts';

const SIZE = 5000;
const CONTENT = Buffer.from(Array.from({ length: SIZE }, (_, at) => (at * 31 + (at >> 8)) % 256));

const range: fc.Arbitrary<SingleRange> = fc.oneof(
  fc.record({ kind: fc.constant('from' as const), start: fc.nat(SIZE + 10) }),
  fc.record({ kind: fc.constant('slice' as const), start: fc.nat(SIZE + 10), end: fc.nat(SIZE + 10) }),
  fc.record({ kind: fc.constant('suffix' as const), length: fc.nat(SIZE + 10) }),
);

async function bodyOf(reader: SegmentsReader, step: number): Promise<Buffer> {
  const body = Buffer.alloc(reader.size);
  let at = 0;
  while (at < reader.size) {
    const upTo = Math.min(await reader.available(at), at + step);
    expect(upTo).toBeGreaterThan(at);
    at += await reader.read(body.subarray(at, upTo), at);
  }
  expect(await reader.available(at)).toBe(at);
  return body;
}

test('the parts together are exactly the bytes asked for, each once and in order; the length is exact', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(range, { minLength: 2, maxLength: 12 }),
      fc.integer({ min: 1, max: 999 }),
      async (ranges, step) => {
        const parts = resolveRanges({ kind: 'several', ranges }, SIZE);
        fc.pre(typeof parts !== 'string');
        const plan = planMultipart(parts, 'application/octet-stream', 'b0');
        const body = await bodyOf(new SegmentsReader(new BytesReader(CONTENT), plan.segments), step);
        expect(body.length).toBe(plan.length);
        const asked = new Set<number>();
        for (let at = 0; at < SIZE; at += 1) if (ranges.some((one) => isAsked(one, at))) asked.add(at);
        const got: number[] = [];
        for (const part of readByteranges(body, plan.contentType)) {
          expect(part.contentType).toBe('application/octet-stream');
          expect(part.size).toBe(SIZE);
          expect(part.bytes.equals(CONTENT.subarray(part.start, part.end))).toBe(true);
          for (let at = part.start; at < part.end; at += 1) got.push(at);
        }
        expect(got).toEqual([...asked]);
      },
    ),
  );
});

function isAsked(one: SingleRange, at: number): boolean {
  if (one.kind === 'suffix') return at >= SIZE - one.length;
  return at >= one.start && (one.kind === 'from' || at < one.end);
}
