import type { Clock } from '../../clock.ts';
import { UpstreamError } from '../error.ts';
import type { Turn, FairTurns } from './fair-turns.ts';
import type { BlobOptions, Demand, FetchedBlob, Upstream } from '../upstream.ts';

/** The turns for requests about blobs to one upstream. */
export interface BlobTurns {
  /** For transfers: a body holds its turn until it ends. */
  readonly bodies: FairTurns;
  /** For questions without a body (`statBlob`). */
  readonly questions: FairTurns;
}

export interface BlobLimits {
  readonly turns: BlobTurns;
  /** How long a call waits for its turn before it is refused, in milliseconds. */
  readonly waitMs: number;
}

/** The demand of a call that names no client. */
const SOME_CLIENT: Demand = { client: '', watch: () => () => {} };

/**
 * Limits how many blobs are fetched from an upstream at the same time: long transfers must not take the connections
 * that tags and manifests need, and unanswered questions must not take those that transfers need. A call that waits too
 * long is refused while its client still listens. A transfer that no client waits for is broken off if a client's call
 * needs its turn.
 */
export function limitBlobs(
  upstream: Upstream,
  { turns: { bodies, questions }, waitMs }: BlobLimits,
  clock: Clock,
): Upstream {
  const take = async (turns: FairTurns, options: BlobOptions = {}): Promise<Turn> => {
    const { demand = SOME_CLIENT, signal, mayWait = true } = options;
    const turn = await turns.take(demand, { clock, waitMs: mayWait ? waitMs : 0, signal });
    if (turn !== undefined) return turn;
    throw signal?.aborted === true ? givenUp(upstream.name) : busy(upstream.name);
  };
  return {
    ...upstream,
    async blob(repository, digest, options) {
      const turn = await take(bodies, options);
      try {
        const blob = await upstream.blob(repository, digest, options);
        const body = whenOver(blob.body, () => bodies.end(turn));
        turn.makeYieldable(() => body.destroy(yielded(upstream.name)));
        return { ...blob, body };
      } catch (error) {
        bodies.end(turn);
        throw error;
      }
    },
    async statBlob(repository, digest, options) {
      const turn = await take(questions, options);
      try {
        return await upstream.statBlob(repository, digest, options);
      } finally {
        questions.end(turn);
      }
    },
  };
}

function busy(upstream: string): UpstreamError {
  const message =
    'as many blobs as it may be asked for are under way already, and none of them ended in time';
  return new UpstreamError(upstream, 'unavailable', 'busy', message, { wasAsked: false });
}

function yielded(upstream: string): UpstreamError {
  const message = 'no client waited for the blob, and its turn went to one that a client waits for';
  return new UpstreamError(upstream, 'unavailable', 'busy', message, { wasAsked: false });
}

function givenUp(upstream: string): UpstreamError {
  return new UpstreamError(upstream, 'unavailable', 'cancelled', 'the request was given up');
}

/** Returns the body; calls `onOver` once, when it was read to its end, has failed or was destroyed. */
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
