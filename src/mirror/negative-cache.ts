import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import type { RepositoryKey } from '../index/repository-key.ts';
import type { Digest } from '../oci/digest.ts';
import { UpstreamError } from '../upstream/error.ts';
import { flightKey } from '../async/flights.ts';

/** The questions about a digest in a repository that upstream may refuse. */
const QUESTIONS = ['manifest', 'blob', 'confirm'] as const;

/** Returns the key under which a refusal of a digest is remembered, so that `disprove` finds it. */
export function refusalKey(
  question: (typeof QUESTIONS)[number],
  { registry: upstream, repository }: RepositoryKey,
  digest: Digest,
): string {
  return flightKey(question, upstream, repository, digest);
}

interface Refusal {
  readonly error: UpstreamError;
  /** When upstream refused, and until when the refusal is believed, by the monotonic clock. */
  readonly at: number;
  readonly until: number;
}

/** The moment at which a question about a digest was asked, to compare with the digest's last disproof. */
export interface Mark {
  readonly subject: string;
  /** Number of disproofs before the question. */
  readonly disproofs: number;
}

/**
 * Lifetime of a refusal that is perhaps not the registry's own: long enough to keep a crowd from asking all at once.
 */
const UNPROVEN_MS = 5_000;

/**
 * Remembers upstreams' refusals. Their lifetime is short: a signature pushed a moment later must be found. Their number
 * is bounded, since clients choose the keys.
 */
export class NegativeCache {
  readonly #errors: LRUCache<string, Refusal>;
  /** Number of the last disproof of each digest in a repository: a question asked before it may still be under way. */
  readonly #lastDisproofs: LRUCache<string, number>;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  #disproofs = 0;

  constructor(clock: Clock, ttlMs: number, maxEntries = 10_000) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.#errors = new LRUCache({ max: maxEntries });
    this.#lastDisproofs = new LRUCache({ max: maxEntries });
  }

  /** Returns the error that is remembered for the key, unless it is as old as `maxAgeMs`. */
  get(key: string, maxAgeMs = Infinity): UpstreamError | undefined {
    const entry = this.#errors.get(key);
    if (entry === undefined) return undefined;
    const now = this.#clock.monotonic();
    if (now >= entry.until) this.#errors.delete(key);
    const ageMs = now - entry.at;
    return now < entry.until && ageMs < maxAgeMs ? repeated(entry.error, ageMs) : undefined;
  }

  /** Returns the mark to take before upstream is asked about the digest, and to pass to `put` with its refusal. */
  mark(key: RepositoryKey, digest: Digest): Mark {
    return { subject: subjectOf(key, digest), disproofs: this.#disproofs };
  }

  /** @param mark of a question about a digest: the refusal is not remembered if the digest was disproved since then */
  put(key: string, error: UpstreamError, mark?: Mark): void {
    if (this.isDisprovedSince(mark)) return;
    const ttlMs = error.isVerdict ? this.#ttlMs : Math.min(this.#ttlMs, UNPROVEN_MS);
    // With a time of zero nothing is remembered, and so nothing takes memory.
    if (ttlMs === 0) return;
    const at = this.#clock.monotonic();
    this.#errors.set(key, { error, at, until: at + ttlMs });
  }

  /** Records that upstream has shown that the repository has the digest: earlier refusals are forgotten. */
  disprove(key: RepositoryKey, digest: Digest): void {
    this.#disproofs += 1;
    this.#lastDisproofs.set(subjectOf(key, digest), this.#disproofs);
    if (this.#errors.size === 0) return;
    for (const question of QUESTIONS) this.#errors.delete(refusalKey(question, key, digest));
  }

  /** Whether upstream has shown since the mark that the repository has the digest: then a refusal means nothing. */
  isDisprovedSince(mark: Mark | undefined): boolean {
    return mark !== undefined && (this.#lastDisproofs.peek(mark.subject) ?? 0) > mark.disproofs;
  }
}

function subjectOf({ registry: upstream, repository }: RepositoryKey, digest: Digest): string {
  return flightKey(upstream, repository, digest);
}

function repeated(
  { upstream, failure, reason, said, status, isVerdict }: UpstreamError,
  ageMs: number,
): UpstreamError {
  return new UpstreamError(upstream, failure, reason, said, { status, isVerdict, wasAsked: false, ageMs });
}
