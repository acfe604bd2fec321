import type { Target } from './target.ts';

/** How long an answer is given again to clients that want none that is older: one question to upstream in that time. */
const MAX_AGE_MS = 5_000;

/**
 * The target for a client that wants to know what a tag or a list is now, a moment after a push say. What the operator
 * has called immutable stays so, and where upstream fails, what is cached is served for as long as for others.
 */
export function askedAnew(target: Target): Target {
  const { tags } = target;
  const ttlMs = Math.min(tags.ttlMs, MAX_AGE_MS);
  const staleForMs = tags.staleForMs + tags.ttlMs - ttlMs;
  return { ...target, tags: { ...tags, ttlMs, staleForMs }, maxAgeMs: MAX_AGE_MS };
}
