import type { Socket } from 'node:net';
import { isInterim, tidyHead } from '../../http/response-head.ts';

/** Most bytes of the head of one answer; the parser that reads it accepts no more either. */
export const MAX_HEAD_BYTES = 64 * 1024;

const HTTP = 'HTTP/';
const EMPTY = Buffer.alloc(0);

/**
 * Makes `socket` give the head of each answer as `tidyHead` returns it. A head is the first thing that arrives after a
 * write; this needs that no request is sent before the last one is answered (no pipelining). Bytes that are no head, or
 * a head that is too long, pass unchanged, and the parser refuses them. Bodies pass unchanged, too.
 */
export function tidyHeads(socket: Socket): Socket {
  const read = socket.read.bind(socket) as (size?: number) => Buffer | null;
  const write = socket.write.bind(socket) as (...parts: readonly unknown[]) => boolean;
  /** The beginning of a head that has arrived; undefined if no head is expected. */
  let held: Beginning | undefined;
  socket.write = (...parts: readonly unknown[]) => {
    held ??= new Beginning();
    return write(...parts);
  };
  socket.read = (size?: number) => {
    if (held === undefined) return read(size);
    for (let part = read(); part !== null; part = read()) {
      const searched = held.length;
      const { ready, rest } = take(held.add(part), searched);
      if (ready.length === 0) continue;
      held = rest === undefined ? undefined : new Beginning(rest);
      return ready;
    }
    return null;
  };
  return socket;
}

/** The beginning of a head. It may arrive byte by byte, so adding a byte must not copy all of it. */
class Beginning {
  #memory: Buffer;
  #length: number;

  constructor(bytes: Buffer = EMPTY) {
    this.#memory = bytes;
    this.#length = bytes.length;
  }

  get length(): number {
    return this.#length;
  }

  /** Adds bytes. @returns all that has arrived */
  add(part: Buffer): Buffer {
    const before = this.#length;
    this.#length += part.length;
    // Nearly all heads arrive in one piece.
    if (before === 0) return (this.#memory = part);
    if (this.#length > this.#memory.length) {
      const larger = Buffer.alloc(Math.max(this.#length, 2 * this.#memory.length));
      this.#memory.copy(larger, 0, 0, before);
      this.#memory = larger;
    }
    part.copy(this.#memory, before);
    return this.#memory.subarray(0, this.#length);
  }
}

interface Taken {
  /** Bytes for the parser. */
  readonly ready: Buffer;
  /** The beginning of a head that is not whole yet; undefined if a body has begun. */
  readonly rest: Buffer | undefined;
}

/** @param searched number of bytes, from the first, that came before and contain no end of a head */
function take(bytes: Buffer, searched: number): Taken {
  const heads: Buffer[] = [];
  let rest = bytes;
  for (;;) {
    const end = endOfHead(rest, heads.length === 0 ? searched : 0);
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

/** Whether the bytes may become a head. */
function isBeginning(bytes: Buffer): boolean {
  return bytes.length < MAX_HEAD_BYTES && HTTP.startsWith(bytes.toString('latin1', 0, HTTP.length));
}

/** Returns the position behind the blank line; undefined if it has not arrived yet, or this is no head. */
function endOfHead(bytes: Buffer, searched: number): number | undefined {
  const part = bytes.subarray(0, MAX_HEAD_BYTES);
  if (part.toString('latin1', 0, HTTP.length) !== HTTP) return undefined;
  // The blank line may begin in the searched part.
  const from = Math.max(0, searched - 2);
  const strict = part.indexOf('\n\r\n', from);
  const loose = (strict === -1 ? part : part.subarray(0, strict)).indexOf('\n\n', from);
  if (loose !== -1) return loose + 2;
  return strict === -1 ? undefined : strict + 3;
}
