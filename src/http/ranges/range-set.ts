import { resolveRange, type ContentRange, type RangeSpec } from './range.ts';

/** Most parts of an answer: to frame more costs more than it saves. */
export const MAX_PARTS = 1024;

/** Most bytes of a part's head. */
const HEAD_BYTES = 200;

/**
 * Decides what to send of a body of `size` bytes: the `whole` (200), parts of it (206), or nothing (416). Parts come in
 * ascending order, and those that overlap become one (RFC 9110 §15.3.7.2). Parts that only touch stay apart: a client
 * may pair the parts with the ranges that it has asked for, as podman 4 does. Ranges without a byte are left out if
 * others have one (§14.1.2). If there are too many parts, or they are larger than the whole with their heads, the
 * answer is the whole (§14.2).
 */
export function resolveRanges(
  spec: RangeSpec,
  size: number,
): readonly ContentRange[] | 'whole' | 'unsatisfiable' {
  if (spec.kind !== 'several') {
    const single = resolveRange(spec, size);
    return typeof single === 'string' ? single : [single];
  }
  if (size === 0) return 'whole';
  const parts = merged(spec.ranges.map((range) => resolveRange(range, size)).filter(isPart));
  if (parts.length === 0) return 'unsatisfiable';
  return parts.length > MAX_PARTS || framedBytes(parts) >= size ? 'whole' : parts;
}

function framedBytes(parts: readonly ContentRange[]): number {
  if (parts.length === 1) return 0;
  return parts.reduce((bytes, { start, end }) => bytes + HEAD_BYTES + end - start, 0);
}

function isPart(resolved: ReturnType<typeof resolveRange>): resolved is ContentRange {
  return typeof resolved !== 'string';
}

function merged(parts: readonly ContentRange[]): ContentRange[] {
  const apart: ContentRange[] = [];
  for (const part of parts.toSorted((one, other) => one.start - other.start)) {
    const last = apart.at(-1);
    if (last === undefined || part.start >= last.end) apart.push(part);
    else apart[apart.length - 1] = { ...last, end: Math.max(last.end, part.end) };
  }
  return apart;
}
