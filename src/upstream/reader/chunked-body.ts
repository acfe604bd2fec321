/** What bytes of a body turned out to be: a part of the content, its end, or a body of another form. */
type BodyPart = Uint8Array | 'end' | 'unfit';

/** What was found, if anything, and the position behind it. */
export interface Found {
  readonly part: BodyPart | undefined;
  readonly next: number;
}

/** The line before a chunk, to the letter: no extension, no blank, and a number that a double holds exactly. */
const SIZE_LINE = /^([0-9A-Fa-f]{1,12})\r\n$/;
const MOST_LINE_BYTES = 14;
const BLANK_LINE = '\r\n';

/**
 * Finds the content of a chunked body (RFC 9112 §7.1), however its bytes are split. It accepts no extension of a chunk
 * and no trailer.
 */
export class ChunkedBody {
  #expects: 'size' | 'data' | 'end of data' | 'end of body' = 'size';
  /** Bytes of the present chunk that are still to come. */
  #left = 0;
  /** The beginning of the expected line. */
  #line = '';

  /** Looks at the bytes from `at` on, up to the first thing that is found in them. */
  read(bytes: Uint8Array, at: number): Found {
    let next = at;
    while (next < bytes.length) {
      if (this.#expects === 'data') return this.#data(bytes, next);
      this.#line += String.fromCharCode(bytes[next] ?? 0);
      next += 1;
      const part = this.#expects === 'size' ? this.#sizeLine() : this.#blankLine();
      if (part !== undefined) return { part, next };
    }
    return { part: undefined, next };
  }

  #data(bytes: Uint8Array, at: number): Found {
    const part = bytes.subarray(at, at + this.#left);
    this.#left -= part.length;
    if (this.#left === 0) this.#expects = 'end of data';
    return { part, next: at + part.length };
  }

  #sizeLine(): 'unfit' | undefined {
    if (!this.#line.endsWith('\n')) return this.#line.length < MOST_LINE_BYTES ? undefined : 'unfit';
    const size = SIZE_LINE.exec(this.#line)?.[1];
    if (size === undefined) return 'unfit';
    this.#line = '';
    this.#left = Number.parseInt(size, 16);
    this.#expects = this.#left === 0 ? 'end of body' : 'data';
    return undefined;
  }

  #blankLine(): 'end' | 'unfit' | undefined {
    if (!BLANK_LINE.startsWith(this.#line)) return 'unfit';
    if (this.#line.length < BLANK_LINE.length) return undefined;
    if (this.#expects === 'end of body') return 'end';
    this.#line = '';
    this.#expects = 'size';
    return undefined;
  }
}
