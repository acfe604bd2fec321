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
  /** How long a blob waits for its turn, milliseconds. */
  readonly waitMs: number;
  /** See `Quirks.countsPulls`. */
  readonly countsPulls: boolean;
}

/** Blobs take their share of the connections and no more: tags and manifests never wait behind them. */
const BLOB_SHARE = 0.75;
/** So do questions about blobs: one that is not answered takes a connection, too. */
const QUESTION_SHARE = 0.125;

/** @param connections to one host of the upstream at the same time */
export function blobTurns(connections: number): BlobTurns {
  return {
    bodies: new FairTurns(Math.ceil(connections * BLOB_SHARE)),
    questions: new FairTurns(Math.ceil(connections * QUESTION_SHARE)),
  };
}

/** The client of one upstream as the cache uses it: it leaves alone who throttles or does not answer. */
export function guardUpstream(
  upstream: Upstream,
  { turns, waitMs, countsPulls }: GuardLimits,
  { clock, events }: { readonly clock: Clock; readonly events: Events },
): Breaker {
  const local = (asked: Upstream): Upstream =>
    respectThrottling(limitBlobs(asked, { turns, waitMs }, clock), { clock, limitsPulls: countsPulls });
  return new Breaker(upstream, { clock, events, local });
}
