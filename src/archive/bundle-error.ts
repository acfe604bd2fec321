/** A bundle cannot be read, or must not be imported. The message is for the operator, and says why. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
}
