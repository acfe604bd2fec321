import type { Socket } from 'node:net';
import { isInterim, tidyHead } from '../http/response-head.ts';

/** Of the head of one answer; the parser behind takes no more either. */
export const MAX_HEAD_BYTES = 64 * 1024;

const HTTP = 'HTTP/';
const EMPTY = Buffer.alloc(0);

/**
 * Lets what reads `socket` see the head of each answer as `tidyHead` gives it. A head is what comes first after
 * something was written, which holds where no request is sent before the last one is answered (no pipelining). What is
 * no head, or is longer than a head may be, passes as it is, for the parser to refuse; so do bodies.
 */
export function tidyHeads(socket: Socket): Socket {
  const read = socket.read.bind(socket) as (size?: number) => Buffer | null;
  const write = socket.write.bind(socket) as (...parts: readonly unknown[]) => boolean;
  /** What has come of a head; undefined where none is expected. */
  let held: Buffer | undefined;
  socket.write = (...parts: readonly unknown[]) => {
    held ??= EMPTY;
    return write(...parts);
  };
  socket.read = (size?: number) => {
    if (held === undefined) return read(size);
    let beginning = held;
    for (let part = read(); part !== null; part = read()) {
      const { ready, rest } = take(beginning.length === 0 ? part : Buffer.concat([beginning, part]));
      held = rest;
      if (ready.length > 0) return ready;
      beginning = rest ?? EMPTY;
    }
    return null;
  };
  return socket;
}

interface Taken {
  /** For the parser. */
  readonly ready: Buffer;
  /** The beginning of a head that is not whole yet; undefined where a body has begun. */
  readonly rest: Buffer | undefined;
}

function take(bytes: Buffer): Taken {
  const heads: Buffer[] = [];
  let rest = bytes;
  for (;;) {
    const end = endOfHead(rest);
    if (end === undefined) return isBeginning(rest) ? taken(heads, EMPTY, rest) : taken(heads, rest);
    const head = rest.toString('latin1', 0, end);
    const tidy = tidyHead(head);
    if (!isInterim(head) && tidy === head) return taken(heads, rest);
    heads.push(Buffer.from(tidy, 'latin1'));
    rest = rest.subarray(end);
    if (!isInterim(head)) return taken(heads, rest);
  }
}

function taken(heads: readonly Buffer[], following: Buffer, rest?: Buffer): Taken {
  return { ready: heads.length === 0 ? following : Buffer.concat([...heads, following]), rest };
}

/** Whether it may become a head. */
function isBeginning(bytes: Buffer): boolean {
  return bytes.length < MAX_HEAD_BYTES && HTTP.startsWith(bytes.toString('latin1', 0, HTTP.length));
}

/** The position behind the blank line; undefined where it is not here yet, or this is no head. */
function endOfHead(bytes: Buffer): number | undefined {
  const part = bytes.subarray(0, MAX_HEAD_BYTES);
  if (part.toString('latin1', 0, HTTP.length) !== HTTP) return undefined;
  const strict = part.indexOf('\n\r\n');
  const loose = (strict === -1 ? part : part.subarray(0, strict)).indexOf('\n\n');
  if (loose !== -1) return loose + 2;
  return strict === -1 ? undefined : strict + 3;
}
