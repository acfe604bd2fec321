import { LostConnectionError } from './failures.ts';

/** Bytes read ahead of the consumer; more of them wait in the kernel until it takes these. */
const READ_AHEAD = 384 * 1024;

/** What a part counts at least: objects for each byte would take more memory than all that may be read ahead. */
const LEAST_PART = 256;

/** The connection that a body comes by. */
export interface BodyConnection {
  pause(): void;
  resume(): void;
  /** Takes memory back that the body has lent: it is read into again. */
  giveBack(parts: readonly Uint8Array[]): void;
  /** Closes the connection, with the rest of the answer. */
  destroy(): void;
}

/**
 * The body of an answer, in the memory in which it has come. What `next` returns may be used until the next call, and
 * no longer.
 */
export class AnswerBody {
  readonly #connection: BodyConnection;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #lent: readonly Uint8Array[] = [];
  #isPaused = false;
  #over: { readonly error: Error | undefined } | undefined;
  #wake: (() => void) | undefined;

  constructor(connection: BodyConnection) {
    this.#connection = connection;
  }

  /**
   * Waits for bytes, and gives back the memory of those that it returned before.
   * @returns all that have come since, in order; undefined at the end
   * @throws the error that ended the body, once all bytes before it were taken
   */
  async next(): Promise<readonly Uint8Array[] | undefined> {
    this.#connection.giveBack(this.#lent);
    this.#lent = [];
    while (this.#parts.length === 0 && this.#over === undefined) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    if (this.#parts.length === 0) {
      if (this.#over?.error !== undefined) throw this.#over.error;
      return undefined;
    }
    return this.#take();
  }

  /** Ends the body; a waiting `next` gets `error`. What `next` has returned stays as it is. */
  destroy(error: Error = new LostConnectionError(false)): void {
    if (this.#over !== undefined) return;
    this.end(error);
    this.#connection.destroy();
  }

  /** Returns a copy of what `next` has returned, for a consumer that needs it for longer. */
  own(parts: readonly Uint8Array[]): readonly Uint8Array[] {
    return parts.map((part) => new Uint8Array(part));
  }

  /** Throws the body away: at most `limit` bytes are read to keep the connection. @throws the error that ended it */
  async discard(limit: number): Promise<void> {
    let bytes = 0;
    for (let parts; (parts = await this.next()) !== undefined;) {
      bytes += parts.reduce((sum, { length }) => sum + length, 0);
      if (bytes > limit) this.destroy();
    }
  }

  /** Adds bytes that have come. Called by the connection. */
  add(part: Uint8Array): void {
    this.#parts.push(part);
    this.#bytes += Math.max(part.length, LEAST_PART);
    if (this.#bytes >= READ_AHEAD && !this.#isPaused) {
      this.#isPaused = true;
      this.#connection.pause();
    }
    this.#wake?.();
  }

  /** Notes that the body is over. Called by the connection. @param error why, if these were not all of its bytes */
  end(error?: Error): void {
    this.#over ??= { error };
    this.#wake?.();
  }

  #take(): readonly Uint8Array[] {
    this.#lent = this.#parts;
    this.#parts = [];
    this.#bytes = 0;
    if (this.#isPaused && this.#over === undefined) this.#connection.resume();
    this.#isPaused = false;
    return this.#lent;
  }
}
