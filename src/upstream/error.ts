/**
 * - `absent`: the answer is that there is no such thing. Only this may become a 404 that is remembered.
 * - `denied`: upstream will not give it to our credentials (or to nobody in particular).
 * - `throttled`: 429.
 * - `unavailable`: everything else: no connection, no answer in time, 5xx, a page of something that stands before the
 *   registry, nonsense.
 *
 * Of the first two, `isVerdict` says whether it is proven that the registry itself has spoken.
 */
export type UpstreamFailure = 'absent' | 'denied' | 'throttled' | 'unavailable';

/** Why, in one word, for logs, messages and metrics. */
export type UpstreamFailureReason =
  | 'not-found'
  | 'unauthorized'
  /** By another 4xx: a policy (Harbor: 412), the law (451), whatever it has against the request. */
  | 'rejected'
  /** Upstream does not take the account that is configured: that says nothing of what was asked for. */
  | 'account-refused'
  /** 401 although an account is configured, and it may be by our token as well as by the repository. */
  | 'token-refused'
  | 'rate-limit'
  /** Docker Hub's abuse limiter: plain text, any endpoint, not told by the `ratelimit-*` headers. */
  | 'abuse-limit'
  | 'timeout'
  | 'refused'
  | 'reset'
  | 'dns'
  | 'tls'
  | 'status'
  | 'token'
  | 'challenge'
  /** Our own credentials could not be read. */
  | 'credentials'
  | 'redirect'
  | 'forbidden-address'
  | 'content'
  /** Not asked, so as not to spend the last pulls. */
  | 'quota-reserve'
  /** Not asked: too much is being fetched from it. */
  | 'busy'
  | 'offline'
  | 'breaker-open'
  /** It could not be asked whether what is cached may be served for this repository. */
  | 'unconfirmed'
  | 'cancelled'
  | 'network';

/** The one error of `upstream/`. Its message names the upstream and never holds a secret, a token or a query string. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly failure: UpstreamFailure;
  readonly reason: UpstreamFailureReason;
  readonly upstream: string;
  /** The message without the upstream's name, for a message that names it already. */
  readonly said: string;
  /** Upstream's HTTP status, where there was an answer. */
  readonly status: number | undefined;
  /** Of the registry's error document, upper case. */
  readonly codes: readonly string[];
  /** From Retry-After. */
  readonly retryAfterMs: number | undefined;
  /**
   * The registry itself has said no to what was asked for, in its error document. Only this may take anything from what
   * is cached: whatever stands before a registry answers 404 and 403, too.
   */
  readonly isVerdict: boolean;
  /** False where this is told without asking: because of what upstream said or did before, or because it must not be asked. */
  readonly wasAsked: boolean;
  /** Of what upstream said before: milliseconds since. */
  readonly ageMs: number | undefined;

  constructor(
    upstream: string,
    failure: UpstreamFailure,
    reason: UpstreamFailureReason,
    message: string,
    options: {
      status?: number | undefined;
      codes?: readonly string[];
      retryAfterMs?: number | undefined;
      isVerdict?: boolean;
      wasAsked?: boolean;
      ageMs?: number;
      cause?: unknown;
    } = {},
  ) {
    super(`${upstream}: ${message}`, { cause: options.cause });
    this.upstream = upstream;
    this.said = message;
    this.failure = failure;
    this.reason = reason;
    this.status = options.status;
    this.codes = options.codes ?? [];
    this.retryAfterMs = options.retryAfterMs;
    this.isVerdict = options.isVerdict ?? false;
    this.wasAsked = options.wasAsked ?? true;
    this.ageMs = options.ageMs;
  }

  /**
   * The way led back to a mirror that it had come through (508). That is said of one way, which a client's own request
   * has begun, and neither of upstream nor of what was asked for.
   */
  get isLoop(): boolean {
    return this.status === 508;
  }
}
