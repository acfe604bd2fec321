/**
 * - `invalid`: the operator's input cannot be read.
 * - `unknown`: nothing of that name is cached.
 * - `busy`: too much runs at the same time.
 * - `failed`: anything else.
 */
export type OperatorErrorCode = 'invalid' | 'unknown' | 'busy' | 'failed';

/** Why an operator's command was not done, in words for the operator. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly code: OperatorErrorCode;

  constructor(code: OperatorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
