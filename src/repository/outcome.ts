/**
 * How an answer came about, in RFC 9211's words. `fwd` says why upstream was asked: `uri-miss` (nothing
 * cached), `stale` (cached, but its time to live had passed), `bypass` (not cached on purpose).
 */
export interface Outcome {
  readonly hit: boolean;
  readonly fwd?: 'uri-miss' | 'stale' | 'bypass';
  /**
   * The cache keeps the response (RFC 9211 section 2.5). Of a cold blob it is said before the first byte, and so is
   * what the cache is doing, not what it has done: bytes that turn out wrong are not kept, and the client that was
   * told so gets no whole answer either.
   */
  readonly stored?: boolean;
  /** Another client's request to upstream was shared. */
  readonly collapsed?: boolean;
  /** Freshness left, milliseconds; negative when a stale tag is served. */
  readonly ttlMs?: number;
  /**
   * Of an answer that may change and that upstream has not confirmed for this request: milliseconds since the question
   * to which upstream gave it. What a digest names has none: it never changes, and the bytes themselves prove that
   * they are right, so to call them old would only make caches in front ask for them anew. Nor has a list that was put
   * together here: upstream never gave it.
   */
  readonly ageMs?: number;
  /** Why something unusual was done. */
  readonly detail?: string;
  /** For the client's eyes: goes into a Warning header. Set when what is served could not be confirmed. */
  readonly warning?: string;
}

export const HIT: Outcome = { hit: true };

/** The bytes were here, but upstream had to say that they belong to this repository too. */
export const CONFIRMED: Outcome = {
  hit: false,
  fwd: 'uri-miss',
  detail: 'confirmed for this repository',
};

/**
 * Of one answer that took two steps, from a name to its digest and from that to the bytes: upstream was asked if either
 * asked it, and the answer is as old as what the name stands for.
 */
export function joined(first: Outcome, second: Outcome): Outcome {
  if (second.hit || !first.hit) return { ...second, ...first };
  return first.ageMs === undefined ? second : { ...second, ageMs: first.ageMs };
}

/** One word for logs and metrics. */
export type OutcomeName = 'hit' | 'miss' | 'revalidated' | 'stale' | 'bypass';

export function outcomeName(outcome: Outcome): OutcomeName {
  if (outcome.warning !== undefined) return 'stale';
  if (outcome.hit) return 'hit';
  if (outcome.fwd === 'stale') return 'revalidated';
  return outcome.fwd === 'bypass' ? 'bypass' : 'miss';
}
