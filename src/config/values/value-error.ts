/**
 * The error of the parsers of single values. It says what was expected and never holds the value, which may be a
 * secret; the code that reports it knows the value, and whether it may be shown.
 */
export class ValueError extends Error {
  override readonly name = 'ValueError';
  /** Completes "expected …": `a duration such as 90s, 5m, 12h or 30d`. */
  readonly expected: string;

  constructor(expected: string) {
    super(`expected ${expected}`);
    this.expected = expected;
  }
}

/** Returns the result of `read`, or the ValueError that it throws. Other errors pass. */
export function valueOrError<T>(read: () => T): T | ValueError {
  try {
    return read();
  } catch (error) {
    if (error instanceof ValueError) return error;
    throw error;
  }
}
