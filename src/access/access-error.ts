/** Why a request gets no answer. */
export type AccessFailure =
  /** There are no credentials, and without them the request is denied. */
  | 'no-credentials'
  /** The credentials prove nothing: unknown user, wrong password, expired or forged token. */
  | 'wrong-credentials'
  /** The principal may, but its token was issued for something else. */
  | 'insufficient-scope'
  /** The principal may not. */
  | 'denied'
  /** Too many wrong credentials came from the client's address. */
  | 'throttled'
  /** The credentials cannot be checked at present, for instance since their issuer's keys cannot be fetched. */
  | 'unavailable';

/** A request that access control refuses. The message tells the client nothing about what exists. */
export class AccessError extends Error {
  readonly failure: AccessFailure;
  /** How long the client should wait, milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    failure: AccessFailure,
    message: string,
    options: { retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'AccessError';
    this.failure = failure;
    this.retryAfterMs = options.retryAfterMs;
  }
}
