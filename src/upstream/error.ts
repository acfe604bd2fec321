/**
 * - `absent`: upstream says that it has no such thing. Only this may become a 404 that is remembered.
 * - `denied`: upstream refuses our credentials (or, if there are none, anonymous requests).
 * - `throttled`: 429.
 * - `unavailable`: everything else: no connection, no answer in time, 5xx, a page from a server in front of the
 *   registry, an answer that makes no sense.
 *
 * For the first two, `isVerdict` says whether the answer provably came from the registry itself.
 */
export type UpstreamFailure = 'absent' | 'denied' | 'throttled' | 'unavailable';

/** The cause in one word, for logs, messages and metrics. */
export type UpstreamFailureReason =
  | 'not-found'
  | 'unauthorized'
  /** Refused by another 4xx: for a policy (Harbor: 412), for the law (451), or for any other reason. */
  | 'rejected'
  /** Upstream refuses the configured account, which says nothing about the content that was asked for. */
  | 'account-refused'
  /** 401 although an account is configured: the cause may be our token as well as the repository. */
  | 'token-refused'
  | 'rate-limit'
  /** Docker Hub's abuse limiter: plain text, on any endpoint, and not reported by the `ratelimit-*` headers. */
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
  /** Not asked, to keep the last pulls of the quota. */
  | 'quota-reserve'
  /** Not asked, because too many fetches from it are under way. */
  | 'busy'
  | 'offline'
  | 'breaker-open'
  /** Upstream could not be asked whether cached content may be served for this repository. */
  | 'unconfirmed'
  | 'cancelled'
  | 'network';

/** The error of `upstream/`. Its message names the upstream and never holds a secret, a token or a query string. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly failure: UpstreamFailure;
  readonly reason: UpstreamFailureReason;
  readonly upstream: string;
  /** The message without the upstream's name, for a message that names it already. */
  readonly said: string;
  /** Upstream's HTTP status; undefined if there was no answer. */
  readonly status: number | undefined;
  /** Codes of the registry's error document, in upper case. */
  readonly codes: readonly string[];
  /** Wait that Retry-After asks for. */
  readonly retryAfterMs: number | undefined;
  /**
   * Whether the registry itself has refused, in its error document. Only such a refusal may take cached content away,
   * since a server in front of a registry answers 404 and 403, too.
   */
  readonly isVerdict: boolean;
  /** Whether upstream was asked. If not, its earlier answers or failures are the reason, or it must not be asked. */
  readonly wasAsked: boolean;
  /** Milliseconds since upstream gave the answer that this error repeats; undefined if it repeats none. */
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
   * Whether the request was led back to a mirror that it had passed already (508). A loop says something about the
   * route of this one client's request, and nothing about upstream or about the content that was asked for.
   */
  get isLoop(): boolean {
    return this.status === 508;
  }
}
