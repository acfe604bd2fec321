/** The keys of an issuer could not be fetched. The message says why, with the issuer left out, and shows no secret. */
export class IssuerError extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = 'IssuerError';
  }
}
