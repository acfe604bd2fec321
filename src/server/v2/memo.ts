/** Enough for what many clients ask again and again, and some megabytes at most. */
const MAX_ENTRIES = 5_000;
/** What clients choose is not kept however long it is. */
const MAX_KEY_LENGTH = 1_000;

/** Results of a pure function by its argument. Bounded: one that is full begins anew. */
export class Memo<T extends object> {
  readonly #results = new Map<string, T>();

  get(key: string): T | undefined {
    return this.#results.get(key);
  }

  put(key: string, result: T): void {
    if (key.length > MAX_KEY_LENGTH) return;
    if (this.#results.size >= MAX_ENTRIES) this.#results.clear();
    this.#results.set(key, result);
  }
}
