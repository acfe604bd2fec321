import type { Readable } from 'node:stream';

/** Bytes read ahead of the reader; more of them wait in the kernel until the reader takes these. */
const READ_AHEAD = 512 * 1024;

/**
 * The bytes of a body in the pieces in which they arrive: each call of `next` takes all that have come since the last.
 * Iterating the body itself would join the pieces, at the cost of another copy.
 */
export class Arrivals {
  readonly #body: Readable;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #isOver = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(body: Readable) {
    this.#body = body;
    if (body.destroyed && !body.readableEnded) this.#over(body.errored ?? closedEarly());
    body.on('error', (error: Error) => this.#over(error));
    body.once('end', () => this.#over());
    body.once('close', () => this.#over(body.readableEnded ? undefined : closedEarly()));
    body.on('data', (piece: Uint8Array) => this.#add(piece));
  }

  /** Whether `next` can return or throw at once. */
  get isReady(): boolean {
    return this.#pieces.length > 0 || this.#isOver;
  }

  /**
   * Waits for bytes.
   * @returns the pieces that have arrived, in order; undefined at the end
   * @throws the body's error, once all pieces before it were taken
   */
  async next(): Promise<readonly Uint8Array[] | undefined> {
    if (!this.isReady) await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#pieces.length === 0) {
      if (this.#error !== undefined) throw this.#error;
      return undefined;
    }
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#bytes = 0;
    if (this.#body.isPaused()) this.#body.resume();
    return pieces;
  }

  #add(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes >= READ_AHEAD) this.#body.pause();
    this.#wake?.();
  }

  #over(error?: Error): void {
    if (!this.#isOver) this.#error = error;
    this.#isOver = true;
    this.#wake?.();
  }
}

function closedEarly(): Error {
  return Object.assign(new Error('the body was closed before its end'), {
    code: 'ERR_STREAM_PREMATURE_CLOSE',
  });
}
