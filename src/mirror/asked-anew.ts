import type { Target } from './target.ts';

/**
 * Greatest age of an answer for a client that wants to know the present state: upstream is asked at most once in that
 * time.
 */
const MAX_AGE_MS = 5_000;

/**
 * Returns the target for a client that wants to know what a tag or a list is now, for instance right after a push. Tags
 * that the operator has called immutable stay so, and if upstream fails, this client gets cached answers for as long as
 * other clients do.
 */
export function askedAnew(target: Target): Target {
  const { tags } = target;
  const ttlMs = Math.min(tags.ttlMs, MAX_AGE_MS);
  const staleForMs = tags.staleForMs + tags.ttlMs - ttlMs;
  return { ...target, tags: { ...tags, ttlMs, staleForMs }, maxAgeMs: MAX_AGE_MS };
}
