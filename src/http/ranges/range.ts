/** One range as asked for (RFC 9110 §14.1.2). Positions are bytes; `end` is exclusive. */
export type SingleRange =
  | { readonly kind: 'from'; readonly start: number }
  | { readonly kind: 'slice'; readonly start: number; readonly end: number }
  | { readonly kind: 'suffix'; readonly length: number };

/** The ranges that a Range header asks for. `several` are at least two, in the order asked for. */
export type RangeSpec = SingleRange | { readonly kind: 'several'; readonly ranges: readonly SingleRange[] };

/** A part of a body of known size: at least one byte, from `start` up to, not including, `end`. */
export interface ContentRange {
  readonly start: number;
  readonly end: number;
  /** The whole body's size in bytes; undefined if the server does not tell it. */
  readonly size: number | undefined;
}

/** Enough for 1,024 parts with the largest offsets; the server accepts 64 KiB of all headers together. */
const MAX_HEADER_LENGTH = 48 * 1024;

/**
 * Reads a Range header. Returns undefined if there is none or it must be ignored, because of another unit or invalid
 * syntax (RFC 9110 §14.2). A slice that ends before it starts is not ignored: `resolveRange` refuses it, as the OCI
 * conformance suite expects.
 */
export function parseRange(header: string | undefined): RangeSpec | undefined {
  if (header === undefined || header.length > MAX_HEADER_LENGTH) return undefined;
  const [, set] = /^bytes=(.*)$/is.exec(header.trim()) ?? [];
  const ranges = (set ?? '')
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map(parseSingleRange);
  const known = ranges.filter((range) => range !== undefined);
  if (known.length < ranges.length) return undefined;
  return known.length > 1 ? { kind: 'several', ranges: known } : known[0];
}

/** Formats the Range header that asks for this range. */
export function formatRange(range: SingleRange): string {
  if (range.kind === 'suffix') return `bytes=-${range.length}`;
  return `bytes=${range.start}-${range.kind === 'slice' ? range.end - 1 : ''}`;
}

/**
 * Decides what to send of a body of `size` bytes: the `whole` (200), a part of it (206), or nothing (416). An end
 * beyond the last byte is cut to it. Every range of an empty body is the whole: clients that always ask for `0-`, as
 * containerd does, would take a 416 for a failure.
 */
export function resolveRange(spec: SingleRange, size: number): ContentRange | 'whole' | 'unsatisfiable' {
  if (size === 0) return 'whole';
  const start = spec.kind === 'suffix' ? Math.max(0, size - spec.length) : spec.start;
  const end = spec.kind === 'slice' ? Math.min(spec.end, size) : size;
  return start < end ? { start, end, size } : 'unsatisfiable';
}

/** Formats the `Content-Range` of a 206. */
export function formatContentRange({ start, end, size }: ContentRange): string {
  return `bytes ${start}-${end - 1}/${size ?? '*'}`;
}

/** Formats the `Content-Range` of a 416. */
export function formatUnsatisfied(size: number): string {
  return `bytes */${size}`;
}

/** Reads an upstream's `Content-Range`; returns undefined if it is none, contradicts itself, or belongs to a 416. */
export function parseContentRange(header: string | undefined): ContentRange | undefined {
  const [, first, last, total] = /^bytes ([0-9]+)-([0-9]+)\/([0-9]+|\*)$/i.exec(header?.trim() ?? '') ?? [];
  if (first === undefined || last === undefined || total === undefined) return undefined;
  const range = {
    start: Number(first),
    end: Number(last) + 1,
    size: total === '*' ? undefined : Number(total),
  };
  const limit = range.size ?? Number.MAX_SAFE_INTEGER;
  return range.start < range.end && range.end <= limit && Number.isSafeInteger(limit) ? range : undefined;
}

function parseSingleRange(text: string): SingleRange | undefined {
  const [, first, last] = /^([0-9]*)-([0-9]*)$/.exec(text) ?? [];
  if (first === undefined || last === undefined || first + last === '') return undefined;
  if (first === '') return { kind: 'suffix', length: parsePosition(last) };
  const start = parsePosition(first);
  return last === '' ? { kind: 'from', start } : { kind: 'slice', start, end: parsePosition(last) + 1 };
}

/** Reads digits. A number beyond every real size becomes one that is still beyond them, and exact. */
function parsePosition(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER - 1);
}
