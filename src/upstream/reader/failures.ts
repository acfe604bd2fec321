/** The answer is not of the simplest form: another parser may read it, after a new request. */
export class UnfitAnswerError extends Error {
  override readonly name = 'UnfitAnswerError';
  readonly code = 'ERR_UNFIT_ANSWER';

  constructor(why: string) {
    super(`the answer has ${why}`);
  }
}

/** The connection was lost before the end of an answer. */
export class LostConnectionError extends Error {
  override readonly name = 'LostConnectionError';
  readonly code: string;
  /**
   * Whether the connection had carried an answer before, and no whole head of this one: a server may close an idle
   * connection at any time, and the request may then be sent again (RFC 9112 §9.3.1, §9.6).
   */
  readonly isStale: boolean;

  constructor(isStale: boolean, cause?: unknown) {
    super('the connection was closed before the end of the answer', { cause });
    const { code } = (cause ?? {}) as { readonly code?: unknown };
    this.code = typeof code === 'string' ? code : 'ECONNRESET';
    this.isStale = isStale;
  }
}
