export interface ConnectionLimits {
  /** Open connections that may ask anything. */
  readonly connections: number;
  /** The share of one client, which it may exceed while more than a share is left for others. */
  readonly connectionsPerClient: number;
  /** Connections beyond `connections`, which may ask only whether the server is well. */
  readonly reserve: number;
}

/** What a new connection may ask, and the connection whose place it takes. */
export interface Opened<C> {
  readonly use: 'all' | 'health';
  readonly closing: C | undefined;
}

interface Open {
  readonly client: string;
  requests: number;
  readonly use: 'all' | 'health';
}

/**
 * The open connections of each client. When connections are scarce, a new one takes the place of an idle one: the one
 * that has been idle for longest, of the client that holds the most connections. If no connection is idle, the new one
 * gets a place in a small reserve, so that the server can say that it is alive.
 * @typeParam C a connection
 */
export class Connections<C> {
  readonly #limits: ConnectionLimits;
  readonly #open = new Map<C, Open>();
  readonly #byClient = new Holdings<C>();
  readonly #reserve = new Holdings<C>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Number of open connections, including the reserve. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Gives a new connection its place. The caller must close the connection that `closing` names, and call `closed` when
   * the new one has closed.
   * @param client the key of the connection's client
   */
  open(client: string, connection: C): Opened<C> {
    const { use, closing } = this.#place(client);
    if (closing !== undefined) this.closed(closing);
    this.#open.set(connection, { client, requests: 0, use });
    this.#holdings(use).add(client, connection);
    return { use, closing };
  }

  /** Returns what the connection may ask; undefined once it is closed. */
  useOf(connection: C): 'all' | 'health' | undefined {
    return this.#open.get(connection)?.use;
  }

  /** Notes a request on the connection. @returns how many requests run on it now */
  begun(connection: C): number {
    const open = this.#open.get(connection);
    if (open === undefined) return 0;
    open.requests += 1;
    // Connections of the reserve stay among the idle ones: none of them keeps its place for long.
    if (open.use === 'all') this.#byClient.busy(open.client, connection);
    return open.requests;
  }

  /** Notes that a request on the connection is over. */
  ended(connection: C): void {
    const open = this.#open.get(connection);
    if (open === undefined) return;
    open.requests -= 1;
    if (open.requests === 0 && open.use === 'all') this.#byClient.idle(open.client, connection);
  }

  closed(connection: C): void {
    const open = this.#open.get(connection);
    if (open === undefined) return;
    this.#open.delete(connection);
    this.#holdings(open.use).delete(open.client, connection);
  }

  #place(client: string): Opened<C> {
    const { connections, connectionsPerClient, reserve } = this.#limits;
    const ownCount = this.#byClient.count(client);
    const free = connections - this.#byClient.size;
    if (free > 0 && (ownCount < connectionsPerClient || free > connectionsPerClient)) {
      return { use: 'all', closing: undefined };
    }
    const closing = this.#byClient.oldestOfLargest(client);
    if (closing !== undefined) return { use: 'all', closing };
    const isFull = this.#reserve.size >= reserve;
    return { use: 'health', closing: isFull ? this.#reserve.oldestOfLargest(client) : undefined };
  }

  #holdings(use: 'all' | 'health'): Holdings<C> {
    return use === 'all' ? this.#byClient : this.#reserve;
  }
}

interface Holding<C> {
  count: number;
  /** The connections that no request runs on, in the order in which they became idle. */
  readonly idle: Set<C>;
}

class Holdings<C> {
  readonly #clients = new Map<string, Holding<C>>();
  size = 0;

  count(client: string): number {
    return this.#clients.get(client)?.count ?? 0;
  }

  add(client: string, connection: C): void {
    const holding = this.#clients.get(client) ?? { count: 0, idle: new Set() };
    this.#clients.set(client, holding);
    holding.count += 1;
    holding.idle.add(connection);
    this.size += 1;
  }

  busy(client: string, connection: C): void {
    this.#clients.get(client)?.idle.delete(connection);
  }

  idle(client: string, connection: C): void {
    this.#clients.get(client)?.idle.add(connection);
  }

  delete(client: string, connection: C): void {
    const holding = this.#clients.get(client);
    if (holding === undefined) return;
    holding.idle.delete(connection);
    holding.count -= 1;
    this.size -= 1;
    if (holding.count === 0) this.#clients.delete(client);
  }

  /**
   * Returns the connection that has been idle for longest, of the client that holds the most connections. Only clients
   * with an idle connection count, and `client` itself comes first unless another client holds more.
   */
  oldestOfLargest(client: string): C | undefined {
    let largest = this.#clients.get(client);
    if (largest?.idle.size === 0) largest = undefined;
    const ownCount = this.count(client);
    for (const holding of this.#clients.values()) {
      const isLarger = holding.count > Math.max(ownCount, largest?.count ?? 0);
      if (isLarger && holding.idle.size > 0) largest = holding;
    }
    const [oldest] = largest?.idle ?? [];
    return oldest;
  }
}
