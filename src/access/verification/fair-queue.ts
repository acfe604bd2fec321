export interface FairQueueLimits {
  /** Most items that wait for one client. */
  readonly perClient: number;
  /** Most items that wait in all. */
  readonly total: number;
}

/** What became of an item that was to wait. */
export type Pushed<T> =
  | 'full'
  | {
      /** The item that lost its place to the new one: the latest of the client with the most. */
      readonly displaced: T | undefined;
    };

/**
 * Items that wait, each for a client. The clients take turns, so that one with many items delays another by one item
 * at most. Bounded: a client without items gets a place even where others have filled the queue.
 */
export class FairQueue<T> {
  readonly #limits: FairQueueLimits;
  /** In the order of the turns. None of the lists is empty. */
  readonly #waiting = new Map<string, T[]>();
  #size = 0;

  constructor(limits: FairQueueLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  push(client: string, item: T): Pushed<T> {
    const own = this.#waiting.get(client) ?? [];
    if (own.length >= this.#limits.perClient) return 'full';
    const isFull = this.#size >= this.#limits.total;
    const displaced = isFull ? this.#displace(own.length + 1) : undefined;
    if (isFull && displaced === undefined) return 'full';
    this.#waiting.set(client, own);
    own.push(item);
    this.#size += 1;
    return { displaced: displaced?.item };
  }

  /** Removes and returns the item whose turn it is. */
  next(): T | undefined {
    const [turn] = this.#waiting;
    if (turn === undefined) return undefined;
    const [client, items] = turn;
    const item = items.shift();
    this.#size -= 1;
    // Setting it anew puts the client behind the others.
    this.#waiting.delete(client);
    if (items.length > 0) this.#waiting.set(client, items);
    return item;
  }

  /** Removes and returns all items. */
  clear(): T[] {
    const items = [...this.#waiting.values()].flat();
    this.#waiting.clear();
    this.#size = 0;
    return items;
  }

  /** Removes the latest item of the client with the most, if it has more than `count`. */
  #displace(count: number): { readonly item: T } | undefined {
    const longest = [...this.#waiting.values()].reduce<T[]>(
      (most, items) => (items.length > most.length ? items : most),
      [],
    );
    if (longest.length <= count) return undefined;
    this.#size -= 1;
    return { item: longest.pop() as T };
  }
}
