import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import { decorate, type CallKind, type UpstreamCall } from './decorate.ts';
import { UpstreamError } from '../error.ts';
import { MAX_RETRY_AFTER_MS } from '../transport/retry-after.ts';
import type { Upstream } from '../upstream.ts';

/** The wait if upstream does not say how long to wait. */
const DEFAULT_WAIT_MS = 30_000;

/**
 * Number of questions in a row that must meet a limit before the limit counts for all questions of their kind, and how
 * long it counts for them.
 */
const AGREEING = 3;
const AGREED_WAIT_MS = 60_000;

/** Most questions remembered, since clients choose the questions. */
const MAX_QUESTIONS = 10_000;

/**
 * The scope of a limit. Docker Hub's pull limit counts GETs of manifests, and Larder still sends HEADs; a registry that
 * limits HEADs limits all of `manifests`. Without a token, no question can be asked.
 */
type Scope = 'pulls' | 'manifests' | 'blobs' | 'lists' | 'tokens';

/** The scopes whose limits hold a call back. A 429 to the call itself belongs to the first, the narrowest. */
const SCOPES: Readonly<Record<CallKind, readonly [Scope, ...Scope[]]>> = {
  manifest: ['pulls', 'manifests', 'tokens'],
  resolve: ['manifests', 'tokens'],
  blob: ['blobs', 'tokens'],
  statBlob: ['blobs', 'tokens'],
  tags: ['lists', 'tokens'],
  referrers: ['lists', 'tokens'],
};

const NAMES: Readonly<Record<Scope, string>> = {
  pulls: 'manifests',
  manifests: 'manifests',
  blobs: 'blobs',
  lists: 'lists',
  tokens: 'tokens',
};

interface Pause {
  readonly until: number;
  readonly error: UpstreamError;
}

export interface ThrottlingOptions {
  readonly clock: Clock;
  /** Whether a 429 is known to limit all questions of its kind, as Docker Hub's pull limit and abuse limit do. */
  readonly limitsPulls: boolean;
}

/**
 * Leaves an upstream alone for as long as its 429 says (RFC 6585 §4, Retry-After). This holds back the same question,
 * and all questions of its kind if several in a row have met a limit, or if upstream is known to limit all of them.
 */
export function respectThrottling(upstream: Upstream, options: ThrottlingOptions): Upstream {
  const throttling = new Throttling(options);
  return decorate(upstream, async (call, question) => {
    const pause = throttling.pauseOf(question);
    if (pause !== undefined) throw pause;
    try {
      const value = await call();
      throttling.answered(question);
      return value;
    } catch (error) {
      throttling.note(error, question);
      throw error;
    }
  });
}

class Throttling {
  readonly #options: ThrottlingOptions;
  readonly #scopes = new Map<Scope, Pause>();
  readonly #questions = new LRUCache<string, Pause>({ max: MAX_QUESTIONS });
  /** Questions that have met a limit since one of the same kind was answered. */
  readonly #agreeing = new Map<Scope, Set<string>>();

  constructor(options: ThrottlingOptions) {
    this.#options = options;
  }

  pauseOf({ kind, key }: UpstreamCall): UpstreamError | undefined {
    const now = this.#options.clock.monotonic();
    const [narrowest] = SCOPES[kind];
    const pauses = [
      [narrowest, this.#questions.get(key)] as const,
      ...SCOPES[kind].map((scope) => [scope, this.#scopes.get(scope)] as const),
    ];
    for (const [scope, pause] of pauses) {
      if (pause !== undefined && now < pause.until) {
        return stillThrottled(pause.error, scope, pause.until - now);
      }
    }
    return undefined;
  }

  answered({ kind, key }: UpstreamCall): void {
    this.#questions.delete(key);
    for (const scope of SCOPES[kind]) this.#agreeing.delete(scope);
  }

  note(error: unknown, question: UpstreamCall): void {
    if (!(error instanceof UpstreamError)) return;
    if (error.failure !== 'throttled') {
      if (error.wasAsked && error.status !== undefined && !error.isLoop) this.answered(question);
      return;
    }
    const now = this.#options.clock.monotonic();
    const waitMs = Math.min(error.retryAfterMs ?? DEFAULT_WAIT_MS, MAX_RETRY_AFTER_MS);
    const scope = error.reason === 'token' ? 'tokens' : SCOPES[question.kind][0];
    this.#questions.set(question.key, { until: now + waitMs, error });
    const isOfAll = this.#options.limitsPulls;
    if (!isOfAll && !this.#isAgreed(scope, question.key)) return;
    const widerMs = isOfAll ? waitMs : Math.min(waitMs, AGREED_WAIT_MS);
    this.#scopes.set(scope, { until: now + widerMs, error });
  }

  #isAgreed(scope: Scope, key: string): boolean {
    const keys = this.#agreeing.get(scope) ?? new Set();
    this.#agreeing.set(scope, keys);
    if (keys.size < AGREEING) keys.add(key);
    return keys.size >= AGREEING;
  }
}

/** Returns the error for later callers. It does not tell what the throttled client had asked for. */
function stillThrottled(error: UpstreamError, scope: Scope, leftMs: number): UpstreamError {
  const seconds = Math.ceil(leftMs / 1000);
  const message = `limits requests for ${NAMES[scope]}; asked again in ${seconds} s`;
  return new UpstreamError(error.upstream, 'throttled', error.reason, message, {
    status: error.status,
    retryAfterMs: leftMs,
    wasAsked: false,
    cause: error,
  });
}
