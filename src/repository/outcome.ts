/**
 * How an answer came about, in RFC 9211's words. `fwd` is the reason why upstream was asked: `uri-miss` (nothing was
 * cached), `stale` (cached, but its time to live had passed), `bypass` (not cached on purpose).
 */
export interface Outcome {
  readonly hit: boolean;
  readonly fwd?: 'uri-miss' | 'stale' | 'bypass';
  /**
   * Whether the cache keeps the response (RFC 9211 section 2.5). For a cold blob this is sent before the first byte, so
   * it tells what the cache is doing, not what it has done: bytes that turn out wrong are not kept, but then the client
   * gets no whole answer either.
   */
  readonly stored?: boolean;
  /** Whether another client's request to upstream was shared. */
  readonly collapsed?: boolean;
  /** Freshness left, milliseconds; negative when a stale tag is served. */
  readonly ttlMs?: number;
  /**
   * Milliseconds since upstream was asked. Set for an answer that may change, and that upstream has not confirmed for
   * this request. Content by digest has no age: it never changes, and the bytes themselves prove that they are right,
   * so an age would only make caches in front ask for them anew. A list that was put together here has none either:
   * upstream never gave it.
   */
  readonly ageMs?: number;
  /** Reason for something unusual. */
  readonly detail?: string;
  /** Text for the client, in a Warning header. Set if what is served could not be confirmed. */
  readonly warning?: string;
}

export const HIT: Outcome = { hit: true };

/** The bytes were cached, but upstream had to confirm that they belong to this repository, too. */
export const CONFIRMED: Outcome = {
  hit: false,
  fwd: 'uri-miss',
  detail: 'confirmed for this repository',
};

/**
 * Joins the outcomes of an answer in two steps, from a name to its digest and from the digest to the bytes: upstream
 * was asked if either step asked it, and the answer is as old as the first step's.
 */
export function joined(first: Outcome, second: Outcome): Outcome {
  if (second.hit || !first.hit) return { ...second, ...first };
  return first.ageMs === undefined ? second : { ...second, ageMs: first.ageMs };
}

/** An outcome in one word, for logs and metrics. */
export type OutcomeName = 'hit' | 'miss' | 'revalidated' | 'stale' | 'bypass';

export function outcomeName(outcome: Outcome): OutcomeName {
  if (outcome.warning !== undefined) return 'stale';
  if (outcome.hit) return 'hit';
  if (outcome.fwd === 'stale') return 'revalidated';
  return outcome.fwd === 'bypass' ? 'bypass' : 'miss';
}
