import { formatContentRange, type ContentRange } from './range.ts';

/** A piece of a body: bytes in memory, or those of a blob from `start` up to, not including, `end`. */
export type Segment = Uint8Array | { readonly start: number; readonly end: number };

/** A `multipart/byteranges` body (RFC 9110 §14.6), planned before its first byte is read. */
export interface Multipart {
  readonly contentType: string;
  /** Bytes of the whole body, for Content-Length. */
  readonly length: number;
  readonly segments: readonly Segment[];
}

/**
 * Plans the body that holds these parts.
 * @param contentType of the blob
 * @param boundary letters and digits, at most 70, that the blob's author could not foresee
 */
export function planMultipart(
  parts: readonly ContentRange[],
  contentType: string,
  boundary: string,
): Multipart {
  const text = new TextEncoder();
  const segments: Segment[] = [];
  for (const [index, part] of parts.entries()) {
    const delimiter = `${index === 0 ? '' : '\r\n'}--${boundary}\r\n`;
    const head = `Content-Type: ${contentType}\r\nContent-Range: ${formatContentRange(part)}\r\n\r\n`;
    segments.push(text.encode(delimiter + head), { start: part.start, end: part.end });
  }
  segments.push(text.encode(`\r\n--${boundary}--\r\n`));
  const length = segments.reduce((sum, segment) => sum + segmentLength(segment), 0);
  return { contentType: `multipart/byteranges; boundary=${boundary}`, length, segments };
}

/** Returns the segment's length in bytes. */
export function segmentLength(segment: Segment): number {
  return segment instanceof Uint8Array ? segment.length : segment.end - segment.start;
}
