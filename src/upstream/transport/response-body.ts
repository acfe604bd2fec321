import type { Dispatcher } from 'undici';
import type { Clock } from '../../clock.ts';
import { Arrivals } from './arrivals.ts';
import { classifyNetworkError } from './classify.ts';
import { UpstreamError } from '../error.ts';
import { LARGE_BYTES, type LargeBodies } from './large-bodies.ts';

type UndiciBody = Dispatcher.ResponseData['body'];

export interface AnswerBodyOptions {
  readonly upstream: string;
  readonly clock: Clock;
  /** The longest silence while somebody waits for bytes, in milliseconds. */
  readonly bodyMs: number;
  /** When an answer that is one document is due whole, by the monotonic clock. */
  readonly dueAt: number;
  /** Where a large body finds its place in memory. */
  readonly large: LargeBodies;
}

/** A document in memory. To be disposed of when its bytes are used no more. */
export interface HeldDocument extends Disposable {
  readonly bytes: Buffer;
}

/** How much of an unwanted body is read to keep its connection; longer ones are cheaper to cut. */
const DISCARD_BYTES = 64 * 1024;

/** How long an error message is worth waiting for. */
const HEAD_MS = 2000;

/**
 * The body of an answer: read once, to the end or until destroyed. All of its failures are UpstreamErrors.
 * The silence is counted only while a reader waits, so a slow disk does not make an upstream look dead.
 */
export class AnswerBody implements AsyncIterable<readonly Uint8Array[]> {
  readonly #body: UndiciBody;
  readonly #options: AnswerBodyOptions;

  constructor(body: UndiciBody, options: AnswerBodyOptions) {
    this.#body = body;
    this.#options = options;
    // A body that fails while nobody reads it must not end the process; a reader gets the error all the same.
    body.on('error', () => undefined);
  }

  /** Ends the body; a reader that waits gets `error`. */
  destroy(error?: Error): void {
    this.#body.destroy(error);
  }

  /** The bytes in the pieces in which they arrive, each time all that are here. */
  async *[Symbol.asyncIterator](): AsyncGenerator<readonly Uint8Array[], void, undefined> {
    const arrivals = new Arrivals(this.#body);
    try {
      for (;;) {
        const next = await this.#next(arrivals);
        if (next === undefined) return;
        yield next;
      }
    } finally {
      this.destroy();
    }
  }

  /**
   * The whole of a body that a client waits for before it gets a single header: due in the time that the answer's
   * headers had, or an upstream that sends a byte now and then would hold the client for ever. A large one waits for
   * its place in memory, in which time upstream is not to blame.
   * @throws UpstreamError `content` where it is longer than `limit` bytes, `timeout` where it is late
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

  /** @param onLarge is waited for where there is more than a small body */
  async #whole(limit: number, onLarge: () => Promise<void>): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    let isLarge = false;
    for await (const pieces of this) {
      chunks.push(...pieces);
      length += byteLength(pieces);
      if (length > limit) throw this.#fail('content', `answered with more than ${limit} bytes`);
      if (length <= LARGE_BYTES || isLarge) continue;
      isLarge = true;
      await onLarge();
    }
    return Buffer.concat(chunks, length);
  }

  /** At most the first `limit` bytes, or what came of them in a short time. For error messages. Never throws. */
  async head(limit: number): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    const cancel = this.#options.clock.after(HEAD_MS, () => this.destroy());
    try {
      for await (const pieces of this) {
        chunks.push(...pieces);
        length += byteLength(pieces);
        if (length >= limit) break;
      }
    } catch {
      // The status has said what matters.
    } finally {
      cancel();
    }
    return Buffer.concat(chunks).subarray(0, limit);
  }

  /** Gets rid of a body that nobody wants, keeping the connection where that is cheap. Never throws. */
  async discard(): Promise<void> {
    const cancel = this.#options.clock.after(this.#options.bodyMs, () => this.destroy());
    try {
      await this.#body.dump({ limit: DISCARD_BYTES });
    } catch {
      // It is gone, which was the wish.
    } finally {
      cancel();
    }
  }

  async #next(arrivals: Arrivals): Promise<readonly Uint8Array[] | undefined> {
    const { clock, bodyMs } = this.#options;
    const cancel = clock.after(bodyMs, () => {
      this.destroy(this.#fail('timeout', `sent nothing for ${bodyMs} ms inside a body`));
    });
    try {
      return await arrivals.next();
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
