import { formatContentRange, formatUnsatisfied, parseRange, resolveRange } from '../http/ranges/range.ts';

/** Bytes that a client can read from any place on. */
export interface RangedBytes {
  /** The same only for the same bytes. */
  readonly identity: string;
  readonly size: number;
  /** Reads from `offset` to the end, or until the caller stops. */
  readonly read: (offset: number) => AsyncIterable<Uint8Array>;
  readonly close: () => Promise<void>;
}

export interface RangeHeaders {
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
}

export interface RangeAnswer {
  readonly status: 200 | 206 | 416;
  readonly headers: Readonly<Record<string, string>>;
  /** When its iteration ends, the source is closed. */
  readonly bytes: AsyncGenerator<Uint8Array>;
}

/** Answers a request for bytes, or for one range of them (RFC 9110, 14). Several ranges at once are answered whole. */
export function rangeAnswer(source: RangedBytes, { range, ifRange }: RangeHeaders): RangeAnswer {
  const { size, identity } = source;
  const etag = `"${identity}"`;
  const headers = { 'Content-Type': 'application/x-tar', 'Accept-Ranges': 'bytes', ETag: etag };
  const spec = ifRange === undefined || ifRange === etag ? parseRange(range) : undefined;
  const part = spec === undefined || spec.kind === 'several' ? 'whole' : resolveRange(spec, size);
  if (part === 'unsatisfiable') {
    const refused = { ...headers, 'Content-Range': formatUnsatisfied(size), 'Content-Length': '0' };
    return { status: 416, headers: refused, bytes: slice(source, 0, 0) };
  }
  if (part === 'whole') {
    const whole = { ...headers, 'Content-Length': String(size) };
    return { status: 200, headers: whole, bytes: slice(source, 0, size) };
  }
  const { start, end } = part;
  const length = { 'Content-Range': formatContentRange(part), 'Content-Length': String(end - start) };
  return { status: 206, headers: { ...headers, ...length }, bytes: slice(source, start, end) };
}

/** Reads the bytes `[start, end)`, and closes the source. */
async function* slice(source: RangedBytes, start: number, end: number): AsyncGenerator<Uint8Array> {
  try {
    let left = end - start;
    if (left <= 0) return;
    for await (const chunk of source.read(start)) {
      yield chunk.subarray(0, left);
      left -= chunk.length;
      if (left <= 0) return;
    }
  } finally {
    await source.close();
  }
}
