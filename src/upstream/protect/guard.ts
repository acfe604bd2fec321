import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';
import { Breaker } from './breaker.ts';
import { limitBlobs, type BlobTurns } from './limit-blobs.ts';
import { respectThrottling } from './throttle.ts';
import { FairTurns } from './fair-turns.ts';
import type { Upstream } from '../upstream.ts';

export interface GuardLimits {
  /** See `blobTurns`. */
  readonly turns: BlobTurns;
  /** How long a blob waits for its turn, in milliseconds. */
  readonly waitMs: number;
  /** Whether upstream counts pulls: see `Quirks.countsPulls`. */
  readonly countsPulls: boolean;
}

/** Part of the connections that blobs may take, so that tags and manifests never wait behind them. */
const BLOB_SHARE = 0.75;
/** Part of the connections that questions about blobs may take: an unanswered question takes a connection, too. */
const QUESTION_SHARE = 0.125;

/** Makes the turns of one upstream. @param connections most connections to one host of it at the same time */
export function blobTurns(connections: number): BlobTurns {
  return {
    bodies: new FairTurns(Math.ceil(connections * BLOB_SHARE)),
    questions: new FairTurns(Math.ceil(connections * QUESTION_SHARE)),
  };
}

/** Wraps the client of one upstream for the cache: it leaves an upstream alone that throttles or does not answer. */
export function guardUpstream(
  upstream: Upstream,
  { turns, waitMs, countsPulls }: GuardLimits,
  { clock, events }: { readonly clock: Clock; readonly events: Events },
): Breaker {
  const local = (asked: Upstream): Upstream =>
    respectThrottling(limitBlobs(asked, { turns, waitMs }, clock), { clock, limitsPulls: countsPulls });
  return new Breaker(upstream, { clock, events, local });
}
