/** A part of an ordered list. */
export interface Page<T> {
  /** The page begins after this entry, which need not exist; undefined: at the beginning. */
  readonly after?: T | undefined;
  readonly limit: number;
}
