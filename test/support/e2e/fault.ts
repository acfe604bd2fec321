import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

type Body = AsyncIterable<Uint8Array>;

/** What a faulty upstream does with an answer. */
export interface Fault {
  /** The request is passed on only after this settles. */
  readonly gate?: Promise<void>;
  /** Answers with this status in place of the registry's answer. */
  readonly status?: number;
  /** Changes the body. The request's Range is dropped, so that the whole body is changed. */
  readonly deform?: Deformation;
  /** Cuts the connection after this many bytes of the body. */
  readonly cutAfter?: number;
  /** Like `cutAfter`, but by a reset, so that bytes on their way are lost, too. */
  readonly resetAfter?: number | undefined;
  readonly bytesPerSecond?: number;
}

/** A change of a body, and the number of bytes by which its length differs. */
export interface Deformation {
  readonly lengthBy: number;
  /** Whether there is a Content-Length; if not, only the end of the chunked body marks the end. */
  readonly tellsLength: boolean;
  readonly change: (body: Body, size: number) => Body;
}

/** One byte in the middle differs; the length is right. */
export const wrongByte: Deformation = {
  lengthBy: 0,
  tellsLength: true,
  async *change(body, size) {
    const at = Math.floor(size / 2);
    let offset = 0;
    for await (const chunk of body) {
      const copy = Buffer.from(chunk);
      if (at >= offset && at < offset + copy.length) copy[at - offset] = (copy[at - offset] ?? 0) ^ 0xff;
      offset += copy.length;
      yield copy;
    }
  },
};

/** Drops the last ten bytes, and ends the answer as if that were right. */
export function shortBody(tellsLength = true): Deformation {
  return {
    lengthBy: -10,
    tellsLength,
    async *change(body, size) {
      let left = size - 10;
      for await (const chunk of body) {
        if (left > 0) yield chunk.subarray(0, left);
        left -= chunk.length;
      }
    },
  };
}

/** Adds ten bytes. */
export function longBody(tellsLength = true): Deformation {
  return {
    lengthBy: 10,
    tellsLength,
    async *change(body) {
      yield* body;
      yield Buffer.alloc(10, 0x2e);
    },
  };
}

export interface DeformedAnswer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Body;
}

/** Returns the registry's answer as the fault changes it. */
export function deform(response: IncomingMessage, fault: Fault | undefined): DeformedAnswer {
  const headers: OutgoingHttpHeaders = { ...response.headers };
  const status = response.statusCode ?? 502;
  if (fault?.status !== undefined) {
    response.resume();
    return { status: fault.status, headers: { 'content-length': 0 }, body: nothing() };
  }
  let body: Body = response;
  const size = Number(response.headers['content-length'] ?? 0);
  if (fault?.deform !== undefined && status === 200) {
    body = fault.deform.change(body, size);
    delete headers['content-length'];
    if (fault.deform.tellsLength) headers['content-length'] = size + fault.deform.lengthBy;
  }
  if (fault?.bytesPerSecond !== undefined) body = throttle(body, fault.bytesPerSecond);
  const cutAfter = fault?.resetAfter ?? fault?.cutAfter;
  if (cutAfter !== undefined) body = cut(body, cutAfter);
  return { status, headers, body };
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  yield* [];
}

async function* throttle(body: Body, bytesPerSecond: number): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    yield chunk;
    await wait((chunk.length / bytesPerSecond) * 1000);
  }
}

async function* cut(body: Body, after: number): AsyncGenerator<Uint8Array> {
  let left = after;
  for await (const chunk of body) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) throw new Error('cut here');
  }
}
