/** A question that cannot be asked as it was typed. The message names what is wrong with it. */
export class AskError extends Error {
  override readonly name = 'AskError';
}
