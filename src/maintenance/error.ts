/**
 * - `invalid`: what was given cannot be read.
 * - `unknown`: nothing that is cached is called so.
 * - `failed`: anything else.
 */
export type MaintenanceErrorCode = 'invalid' | 'unknown' | 'failed';

/** Why an operator's command was not done, in words for the operator. */
export class MaintenanceError extends Error {
  override readonly name = 'MaintenanceError';
  readonly code: MaintenanceErrorCode;

  constructor(code: MaintenanceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
