/** A part of an ordered list. */
export interface Page<T> {
  /** Exclusive; it need not exist. */
  readonly after?: T | undefined;
  readonly limit: number;
}
