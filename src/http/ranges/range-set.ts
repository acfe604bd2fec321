import { resolveRange, type ContentRange, type RangeSpec } from './range.ts';

/** More parts than this cost more to frame than they save. */
export const MAX_PARTS = 1024;

/** No head of a part is longer. Bytes. */
const HEAD_BYTES = 200;

/**
 * What to send of a body of `size` bytes: the `whole` (200), parts of it (206), or nothing (416). Parts come in ascending
 * order; those that overlap are one (RFC 9110 §15.3.7.2). Others stay apart, also those that touch: a client may pair the
 * parts with the ranges that it has asked for, as podman 4 does. Ranges that have no byte are left out where others have
 * one (§14.1.2). Too many parts, and those that with their heads are larger than the whole, are answered with it (§14.2).
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
