import { parseHead, type AnswerHead, type Framing, type Unfit } from './answer-head.ts';
import { ChunkedBody, type Found } from './chunked-body.ts';

/** What the bytes of a connection say. */
export type AnswerEvent =
  | { readonly kind: 'head'; readonly head: AnswerHead }
  /** A part of the body: the very memory in which it came. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** The answer is over. @property isExact whether no byte followed, and the server has not closed the connection */
  | { readonly kind: 'end'; readonly isExact: boolean }
  /** The answer is not of the simplest form. Nothing follows. */
  | { readonly kind: 'unfit'; readonly why: string }
  /** The connection was closed before the end. */
  | { readonly kind: 'cut' };

/** Most bytes of a head, those of interim answers before it included. */
const MAX_HEAD_BYTES = 32 * 1024;

const END_OF_HEAD = '\r\n\r\n';

/**
 * Reads one answer to a GET from the bytes of a connection, in whatever pieces they come. It does no I/O and keeps no
 * byte of a body. Whatever is not of the simplest form ends in `unfit`: a parser that is strict may refuse an answer, but
 * never understands it otherwise than the server and everything in between.
 */
export class AnswerParser {
  /** The beginning of a head; undefined once the head has come. */
  #head: string | undefined = '';
  /** Bytes of interim heads (1xx). */
  #interimBytes = 0;
  #body: Body | undefined;
  #idleMs: number | undefined;
  #isOver = false;

  /** How long the connection may be idle before the next request; undefined: it has to be closed. Known at the end. */
  get idleMs(): number | undefined {
    return this.#idleMs;
  }

  /** Takes the next bytes. */
  push(bytes: Uint8Array): readonly AnswerEvent[] {
    if (this.#isOver) return [];
    return [...this.#read(bytes)];
  }

  /** Notes that the server has closed the connection. */
  close(): AnswerEvent | undefined {
    if (this.#isOver) return undefined;
    this.#isOver = true;
    return this.#body?.endsAtClose === true ? { kind: 'end', isExact: false } : { kind: 'cut' };
  }

  *#read(bytes: Uint8Array): Generator<AnswerEvent, void, undefined> {
    let at = 0;
    while (this.#head !== undefined) {
      if (at === bytes.length) return;
      at = this.#readHead(bytes, at);
      const head = this.#parsed();
      if (head === undefined) continue;
      if ('unfit' in head) return yield this.#unfit(head.unfit);
      if (head.status < 200) continue;
      this.#begin(head);
      yield { kind: 'head', head };
    }
    yield* this.#readBody(bytes, at);
  }

  /** @returns the position behind the bytes that may be of the head */
  #readHead(bytes: Uint8Array, at: number): number {
    const before = this.#head ?? '';
    const text = before + latin1(bytes.subarray(at, at + MAX_HEAD_BYTES + 1));
    const end = text.indexOf(END_OF_HEAD, Math.max(0, before.length - END_OF_HEAD.length + 1));
    this.#head = end === -1 ? text : text.slice(0, end + END_OF_HEAD.length);
    return at + this.#head.length - before.length;
  }

  /** Returns the head once it is whole. */
  #parsed(): AnswerHead | Unfit | undefined {
    const text = this.#head ?? '';
    if (text.length + this.#interimBytes > MAX_HEAD_BYTES) return { unfit: 'a head that is too long' };
    if (!isBeginning(text)) return { unfit: 'no head' };
    if (!text.endsWith(END_OF_HEAD)) return undefined;
    const head = parseHead(text);
    if ('unfit' in head || head.status >= 200) return head;
    this.#interimBytes += text.length;
    this.#head = '';
    return head;
  }

  #begin({ framing, idleMs }: AnswerHead): void {
    this.#head = undefined;
    this.#idleMs = idleMs;
    this.#body = bodyOf(framing);
  }

  *#readBody(bytes: Uint8Array, from: number): Generator<AnswerEvent, void, undefined> {
    for (let at = from; !this.#isOver;) {
      const { part, next } = this.#body?.read(bytes, at) ?? {};
      if (part === undefined || next === undefined) return;
      at = next;
      if (part === 'unfit') yield this.#unfit('a chunk of another form');
      else if (part === 'end') yield this.#end(at === bytes.length);
      else yield { kind: 'bytes', bytes: part };
    }
  }

  #end(isExact: boolean): AnswerEvent {
    this.#isOver = true;
    return { kind: 'end', isExact };
  }

  #unfit(why: string): AnswerEvent {
    this.#isOver = true;
    return { kind: 'unfit', why };
  }
}

/** Finds the content of a body. `read` finds nothing only when all bytes are taken. */
interface Body {
  readonly endsAtClose: boolean;
  read(bytes: Uint8Array, at: number): Found;
}

function bodyOf(framing: Framing): Body {
  switch (framing.kind) {
    case 'chunked': {
      const body = new ChunkedBody();
      return { endsAtClose: false, read: (bytes, at) => body.read(bytes, at) };
    }
    case 'length':
      return sizedBody(framing.bytes);
    case 'until-close':
      return { endsAtClose: true, read: (bytes, at) => restOf(bytes, at) };
  }
}

function sizedBody(size: number): Body {
  let left = size;
  return {
    endsAtClose: false,
    read(bytes, at) {
      if (left === 0) return { part: 'end', next: at };
      const { part, next } = restOf(bytes, at, left);
      left -= next - at;
      return { part, next };
    },
  };
}

function restOf(bytes: Uint8Array, at: number, most = Infinity): Found {
  const next = Math.min(bytes.length, at + most);
  return { part: next === at ? undefined : bytes.subarray(at, next), next };
}

const HTTP = 'HTTP/1.1 ';

function isBeginning(text: string): boolean {
  return text.length < HTTP.length ? HTTP.startsWith(text) : text.startsWith(HTTP);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
