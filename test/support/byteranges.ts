import { parseContentRange } from '../../src/http/ranges/range.ts';

export interface ReceivedPart {
  readonly contentType: string | undefined;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly size: number | undefined;
  readonly bytes: Buffer;
}

/** Reads a `multipart/byteranges` body as a client does. @throws Error if it is none */
export function readByteranges(body: Buffer, contentType: string | undefined): ReceivedPart[] {
  const [, boundary] = /^multipart\/byteranges; boundary=([0-9a-z]+)$/i.exec(contentType ?? '') ?? [];
  if (boundary === undefined) throw new Error(`no multipart: ${contentType}`);
  const parts: ReceivedPart[] = [];
  let at = 0;
  const take = (text: string): boolean => {
    const isNext = body.subarray(at, at + text.length).toString('latin1') === text;
    if (isNext) at += text.length;
    return isNext;
  };
  while (take(`${parts.length === 0 ? '' : '\r\n'}--${boundary}\r\n`)) {
    const end = body.indexOf('\r\n\r\n', at);
    const head = body.subarray(at, end).toString('latin1');
    const field = (name: string): string | undefined =>
      new RegExp(`^${name}: (.*)$`, 'im').exec(head.replaceAll('\r', ''))?.[1];
    const range = parseContentRange(field('content-range'));
    if (range === undefined) throw new Error(`a part without its range: ${head}`);
    at = end + 4;
    const bytes = body.subarray(at, at + range.end - range.start);
    at += bytes.length;
    parts.push({ contentType: field('content-type'), ...range, bytes });
  }
  if (!take(`\r\n--${boundary}--\r\n`) || at !== body.length)
    throw new Error(`the body does not end at ${at}`);
  return parts;
}
