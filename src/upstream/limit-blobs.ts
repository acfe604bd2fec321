import type { Clock } from '../clock.ts';
import { UpstreamError } from './error.ts';
import type { FetchedBlob, Upstream } from './upstream.ts';

export interface BlobLimits {
  /** Blob bodies open at the same time. */
  readonly max: number;
  /** How long one waits for its turn before it is refused, milliseconds. */
  readonly waitMs: number;
}

/**
 * An upstream from which only so many blobs are had at the same time: long transfers must not take the
 * connections that tags and manifests need. Who waits too long is refused while its client still listens.
 */
export function limitBlobs(upstream: Upstream, { max, waitMs }: BlobLimits, clock: Clock): Upstream {
  const turns = new Turns(max);
  return {
    ...upstream,
    async blob(repository, digest, options) {
      const isMyTurn = await turns.take(clock, waitMs, options?.signal);
      if (!isMyTurn)
        throw options?.signal?.aborted === true ? givenUp(upstream.name) : busy(upstream.name, max);
      try {
        const blob = await upstream.blob(repository, digest, options);
        return { ...blob, body: whenOver(blob.body, () => turns.give()) };
      } catch (error) {
        turns.give();
        throw error;
      }
    },
  };
}

function busy(upstream: string, max: number): UpstreamError {
  return new UpstreamError(
    upstream,
    'unavailable',
    'busy',
    `${max} blobs are being fetched already, and none of them ended in time`,
    { wasAsked: false },
  );
}

function givenUp(upstream: string): UpstreamError {
  return new UpstreamError(upstream, 'unavailable', 'cancelled', 'the request was given up');
}

/** Who may go now, and who is next. */
class Turns {
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(max: number) {
    this.#free = max;
  }

  /** @returns whether it is the caller's turn: not so after `waitMs`, or when the signal aborts */
  async take(clock: Clock, waitMs: number, signal: AbortSignal | undefined): Promise<boolean> {
    if (this.#free > 0) {
      this.#free -= 1;
      return true;
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const go = (): void => resolve(true);
    const giveUp = (): void => {
      // At once, or a turn could be given to who has gone.
      this.#waiting.delete(go);
      resolve(false);
    };
    this.#waiting.add(go);
    const cancel = clock.after(waitMs, giveUp);
    signal?.addEventListener('abort', giveUp, { once: true });
    if (signal?.aborted === true) giveUp();
    const isMine = await promise;
    cancel();
    signal?.removeEventListener('abort', giveUp);
    return isMine;
  }

  give(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}

/** The body, with one call when it has been read, has failed or was destroyed. */
function whenOver(body: FetchedBlob['body'], onOver: () => void): FetchedBlob['body'] {
  let isOver = false;
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    onOver();
  };
  return {
    destroy(error) {
      end();
      return body.destroy(error);
    },
    async *[Symbol.asyncIterator]() {
      try {
        yield* body;
      } finally {
        end();
      }
    },
  };
}
