import type { Target } from './target.ts';

/** Greatest age of an answer that such a client gets: upstream is asked at most once in that time. */
const MAX_AGE_MS = 5_000;

/**
 * Returns the target for a client that wants to know what a tag or a list is now, for instance right after a push. Tags
 * that the operator has called immutable stay so, and if upstream fails, cached answers are served for as long as to
 * other clients.
 */
export function askedAnew(target: Target): Target {
  const { tags } = target;
  const ttlMs = Math.min(tags.ttlMs, MAX_AGE_MS);
  const staleForMs = tags.staleForMs + tags.ttlMs - ttlMs;
  return { ...target, tags: { ...tags, ttlMs, staleForMs }, maxAgeMs: MAX_AGE_MS };
}
