import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import type { RepositoryKey } from '../index/repository-key.ts';
import type { Digest } from '../oci/digest.ts';
import { UpstreamError } from '../upstream/error.ts';
import { flightKey } from '../async/flights.ts';

/** The questions about a digest in a repository that upstream may have said no to. */
const QUESTIONS = ['manifest', 'blob', 'confirm'] as const;

/** Under which a refusal of a digest is remembered, so that `disprove` finds it. */
export function refusalKey(
  question: (typeof QUESTIONS)[number],
  { registry: upstream, repository }: RepositoryKey,
  digest: Digest,
): string {
  return flightKey(question, upstream, repository, digest);
}

interface Refusal {
  readonly error: UpstreamError;
  /** When it was told and how long it is believed, by the monotonic clock. */
  readonly at: number;
  readonly until: number;
}

/** When a question about a digest was asked, to be compared with when the digest was last disproved. */
export interface Mark {
  readonly subject: string;
  /** So many disproofs came before the question. */
  readonly disproofs: number;
}

/** For what may not be the registry's word: just so long that a crowd does not ask it all at once. */
const UNPROVEN_MS = 5_000;

/**
 * What upstream lately said it does not have. Short-lived: a signature pushed a moment later must be found.
 * Bounded, since clients choose the keys.
 */
export class NegativeCache {
  readonly #errors: LRUCache<string, Refusal>;
  /** The number of the last disproof of each digest in a repository: a question asked before it may be under way. */
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

  /** The error that is remembered for the key, unless it is as old as `maxAgeMs`. */
  get(key: string, maxAgeMs = Infinity): UpstreamError | undefined {
    const entry = this.#errors.get(key);
    if (entry === undefined) return undefined;
    const now = this.#clock.monotonic();
    if (now >= entry.until) this.#errors.delete(key);
    const ageMs = now - entry.at;
    return now < entry.until && ageMs < maxAgeMs ? toldAgain(entry.error, ageMs) : undefined;
  }

  /** To be taken before upstream is asked about the digest, and given to `put` with its refusal. */
  mark(key: RepositoryKey, digest: Digest): Mark {
    return { subject: subjectOf(key, digest), disproofs: this.#disproofs };
  }

  /** @param mark of a question about a digest: what has been disproved since then is not remembered */
  put(key: string, error: UpstreamError, mark?: Mark): void {
    if (this.isDisprovedSince(mark)) return;
    const ttlMs = error.isVerdict ? this.#ttlMs : Math.min(this.#ttlMs, UNPROVEN_MS);
    const at = this.#clock.monotonic();
    this.#errors.set(key, { error, at, until: at + ttlMs });
  }

  /** Upstream has shown that the repository has the digest: what it said before holds no longer. */
  disprove(key: RepositoryKey, digest: Digest): void {
    this.#disproofs += 1;
    this.#lastDisproofs.set(subjectOf(key, digest), this.#disproofs);
    if (this.#errors.size === 0) return;
    for (const question of QUESTIONS) this.#errors.delete(refusalKey(question, key, digest));
  }

  /** Whether upstream has shown meanwhile that the repository has the digest: a refusal says nothing any more then. */
  isDisprovedSince(mark: Mark | undefined): boolean {
    return mark !== undefined && (this.#lastDisproofs.peek(mark.subject) ?? 0) > mark.disproofs;
  }
}

function subjectOf({ registry: upstream, repository }: RepositoryKey, digest: Digest): string {
  return flightKey(upstream, repository, digest);
}

function toldAgain(
  { upstream, failure, reason, said, status, isVerdict }: UpstreamError,
  ageMs: number,
): UpstreamError {
  return new UpstreamError(upstream, failure, reason, said, { status, isVerdict, wasAsked: false, ageMs });
}
