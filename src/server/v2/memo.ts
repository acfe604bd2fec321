/** Enough for the requests that many clients repeat, and some megabytes at most. */
const MAX_ENTRIES = 5_000;
/** Clients choose the keys, so long ones are not kept. */
const MAX_KEY_LENGTH = 1_000;

/** Results of a pure function by its argument. Bounded: a full memo is emptied. */
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
