/** What the values of a file depend on besides themselves. */
export interface ValueContext {
  /** Makes a path absolute. */
  readonly resolvePath: (path: string) => string;
  /** What is written where a secret is. */
  readonly writeSecret: (secret: string) => string;
}

/** Reads paths as they are written, and writes secrets as they are. */
export const PLAIN: ValueContext = { resolvePath: (path) => path, writeSecret: (secret) => secret };
