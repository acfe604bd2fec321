import type { Demand } from '../upstream/upstream.ts';

/** The clients that follow a fill. Upstream is asked on behalf of the client that has followed for longest. */
export class FillClients implements Demand {
  /** How many followers each client has, in the order in which the clients came. */
  readonly #clients = new Map<string, number>();
  readonly #listeners = new Set<() => void>();

  get client(): string | undefined {
    const [first] = this.#clients.keys();
    return first;
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @returns a function to call once, when the client has gone */
  enter(client: string): () => void {
    this.#change(client, 1);
    return () => this.#change(client, -1);
  }

  #change(client: string, by: 1 | -1): void {
    const count = (this.#clients.get(client) ?? 0) + by;
    if (count === 0) this.#clients.delete(client);
    else this.#clients.set(client, count);
    for (const listener of this.#listeners) listener();
  }
}

/** Returns the demand of one client that stays until it has all. */
export function demandOf(client: string): Demand {
  return { client, watch: () => () => {} };
}

/** The demand of work that no client waits for: it takes the turns that clients leave. */
export const NO_CLIENT: Demand = { client: undefined, watch: () => () => {} };
