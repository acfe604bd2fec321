import type { Clock } from '../../../clock.ts';
import { classifyNetworkError } from '../classify.ts';
import { UpstreamError } from '../../error.ts';
import { LARGE_BYTES, type LargeBodies } from './large-bodies.ts';

/** The body of an answer as it comes from the wire. */
export interface RawBody {
  /**
   * Waits for bytes. What it returned before must not be used any more: its memory may be released, or used again.
   * @returns all that have arrived, in order; undefined at the end
   */
  next(): Promise<readonly Uint8Array[] | undefined>;
  /** Returns what `next` has returned last, in memory that the caller may keep. */
  own(pieces: readonly Uint8Array[]): readonly Uint8Array[];
  /** Ends the body; a waiting `next` gets `error`. */
  destroy(error?: Error): void;
  /** Throws the body away: at most `limit` bytes are read to keep the connection. */
  discard(limit: number): Promise<void>;
}

export interface ResponseBodyOptions {
  readonly upstream: string;
  readonly clock: Clock;
  /** The longest silence while a reader waits for bytes, in milliseconds. */
  readonly bodyMs: number;
  /** Monotonic time by which a document must have arrived whole. */
  readonly dueAt: number;
  /** Gives each large body its place in memory. */
  readonly large: LargeBodies;
}

/** A document in memory. Its user must dispose of it when it needs the bytes no more. */
export interface HeldDocument extends Disposable {
  readonly bytes: Buffer;
}

/** Most bytes of an unwanted body that are read to keep its connection; cutting a longer one is cheaper. */
const DISCARD_BYTES = 64 * 1024;

/** Longest wait for the body of an error, in milliseconds. */
const HEAD_MS = 2000;

/**
 * The body of an answer: it is read once, to the end or until it is destroyed. All of its failures are UpstreamErrors.
 * Silence counts only while a reader waits, so that a slow disk does not make an upstream look dead.
 */
export class ResponseBody implements AsyncIterable<readonly Uint8Array[]> {
  readonly #body: RawBody;
  readonly #options: ResponseBodyOptions;

  constructor(body: RawBody, options: ResponseBodyOptions) {
    this.#body = body;
    this.#options = options;
  }

  /** Ends the body; a waiting reader gets `error`. */
  destroy(error?: Error): void {
    this.#body.destroy(error);
  }

  /**
   * Yields the bytes in the pieces in which they arrive: each time all that have arrived. They may be used until the next
   * step, and no longer.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<readonly Uint8Array[], void, undefined> {
    try {
      for (;;) {
        const next = await this.#next();
        if (next === undefined) return;
        yield next;
      }
    } finally {
      this.destroy();
    }
  }

  /**
   * Reads a whole body that a client waits for before it gets a single header. The body shares the deadline of the
   * answer's headers, or an upstream that sends a byte now and then would hold the client for ever. A large body waits
   * for its place in memory, and that time does not count, since upstream is not to blame for it.
   * @throws UpstreamError `content` if it is longer than `limit` bytes, `timeout` if it is late
   */
  async document(limit: number): Promise<HeldDocument> {
    const { clock, dueAt } = this.#options;
    const late = (): void => this.destroy(this.#fail('timeout', 'did not finish its answer in time'));
    let leftMs = Math.max(0, dueAt - clock.monotonic());
    let cancel = clock.after(leftMs, late);
    const place: { taken?: Disposable } = {};
    try {
      const bytes = await this.#whole(limit, async () => {
        cancel();
        leftMs = Math.max(0, dueAt - clock.monotonic());
        place.taken = await this.#options.large.hold();
        cancel = clock.after(leftMs, late);
      });
      return { bytes, [Symbol.dispose]: () => place.taken?.[Symbol.dispose]() };
    } catch (error) {
      place.taken?.[Symbol.dispose]();
      throw error;
    } finally {
      cancel();
    }
  }

  /** @param onLarge called and awaited once, when the body turns out to be large */
  async #whole(limit: number, onLarge: () => Promise<void>): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    let isLarge = false;
    for await (const pieces of this) {
      chunks.push(...this.#body.own(pieces));
      length += byteLength(pieces);
      if (length > limit) throw this.#fail('content', `answered with more than ${limit} bytes`);
      if (length <= LARGE_BYTES || isLarge) continue;
      isLarge = true;
      await onLarge();
    }
    return Buffer.concat(chunks, length);
  }

  /** Reads at most the first `limit` bytes, or those that come in a short time. For error messages. Never throws. */
  async head(limit: number): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    const cancel = this.#options.clock.after(HEAD_MS, () => this.destroy());
    try {
      for await (const pieces of this) {
        chunks.push(...this.#body.own(pieces));
        length += byteLength(pieces);
        if (length >= limit) break;
      }
    } catch {
      // The status is enough for an error.
    } finally {
      cancel();
    }
    return Buffer.concat(chunks).subarray(0, limit);
  }

  /** Throws away an unwanted body, and keeps the connection if that is cheap. Never throws. */
  async discard(): Promise<void> {
    const cancel = this.#options.clock.after(this.#options.bodyMs, () => this.destroy());
    try {
      await this.#body.discard(DISCARD_BYTES);
    } catch {
      // The body is gone, as intended.
    } finally {
      cancel();
    }
  }

  async #next(): Promise<readonly Uint8Array[] | undefined> {
    const { clock, bodyMs } = this.#options;
    const cancel = clock.after(bodyMs, () => {
      this.destroy(this.#fail('timeout', `sent nothing for ${bodyMs} ms inside a body`));
    });
    try {
      return await this.#body.next();
    } catch (error) {
      throw this.#classified(error);
    } finally {
      cancel();
    }
  }

  #fail(reason: 'content' | 'timeout', message: string): UpstreamError {
    return new UpstreamError(this.#options.upstream, 'unavailable', reason, message);
  }

  #classified(error: unknown): UpstreamError {
    if (error instanceof UpstreamError) return error;
    const { failure, reason, message } = classifyNetworkError(error);
    return new UpstreamError(this.#options.upstream, failure, reason, `${message} inside a body`, {
      cause: error,
    });
  }
}

function byteLength(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((bytes, { length }) => bytes + length, 0);
}
