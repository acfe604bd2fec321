import type { Clock } from '../clock.ts';
import { UpstreamError } from './error.ts';
import { Turns } from './turns.ts';
import type { Demand, FetchedBlob, Upstream } from './upstream.ts';

export interface BlobLimits {
  /** Blob bodies open at the same time. */
  readonly max: number;
  /** How long one waits for its turn before it is refused, milliseconds. */
  readonly waitMs: number;
}

/** Who does not say for which client a blob is. */
const SOME_CLIENT: Demand = { client: '', watch: () => () => {} };

/**
 * An upstream from which only so many blobs are had at the same time: long transfers must not take the
 * connections that tags and manifests need. Who waits too long is refused while its client still listens. A transfer
 * that no client waits for is broken off where one that a client waits for needs its turn.
 */
export function limitBlobs(upstream: Upstream, { max, waitMs }: BlobLimits, clock: Clock): Upstream {
  const turns = new Turns(max);
  return {
    ...upstream,
    async blob(repository, digest, options) {
      const signal = options?.signal;
      const turn = await turns.take(options?.demand ?? SOME_CLIENT, { clock, waitMs, signal });
      if (turn === undefined)
        throw signal?.aborted === true ? givenUp(upstream.name) : busy(upstream.name, max);
      try {
        const blob = await upstream.blob(repository, digest, options);
        const body = whenOver(blob.body, () => turns.end(turn));
        turn.mayYield(() => body.destroy(yielded(upstream.name)));
        return { ...blob, body };
      } catch (error) {
        turns.end(turn);
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

function yielded(upstream: string): UpstreamError {
  const message = 'no client waited for the blob, and its turn went to one that a client waits for';
  return new UpstreamError(upstream, 'unavailable', 'busy', message, { wasAsked: false });
}

function givenUp(upstream: string): UpstreamError {
  return new UpstreamError(upstream, 'unavailable', 'cancelled', 'the request was given up');
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
