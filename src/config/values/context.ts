/** The context that the values of a file depend on. */
export interface ValueContext {
  /** Makes a path absolute. */
  readonly resolvePath: (path: string) => string;
  /** Returns the text to write for a secret. */
  readonly writeSecret: (secret: string) => string;
}

/** Reads paths as they are written, and writes secrets in the clear. */
export const PLAIN: ValueContext = { resolvePath: (path) => path, writeSecret: (secret) => secret };
