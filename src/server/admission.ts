import { clientKey } from './request/client-key.ts';

/** How many requests are served at the same time. */
export interface AdmissionLimits {
  readonly requests: number;
  /**
   * The share of one client: an IPv4 address, or a /64 of IPv6, which is the least that one machine is given. A client
   * may exceed its share while more than one share is left for the others, since many machines may be behind one
   * address.
   */
  readonly requestsPerClient: number;
}

export type Overload = 'client' | 'all';

/**
 * Decides which requests may be served now. There is no queue: a request beyond a limit is refused at once, so that the
 * client can go elsewhere or come again.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #byClient = new Map<string, number>();
  #running = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /**
   * Returns one for a kind of requests that must leave room for others: it has a part of these limits. Such a request
   * enters both.
   */
  part(divisor: number): Admission {
    const { requests, requestsPerClient } = this.#limits;
    return new Admission({
      requests: Math.ceil(requests / divisor),
      requestsPerClient: Math.ceil(requestsPerClient / divisor),
    });
  }

  /** Requests that are being served. */
  get running(): number {
    return this.#running;
  }

  /**
   * @param address the client's, as a socket tells it
   * @returns undefined if the request may be served; then the caller calls `leave` when it is over
   */
  enter(address: string): Overload | undefined {
    const client = clientKey(address);
    const ownCount = this.#byClient.get(client) ?? 0;
    const { requests, requestsPerClient } = this.#limits;
    const free = requests - this.#running;
    if (free <= 0) return 'all';
    if (ownCount >= requestsPerClient && free <= requestsPerClient) return 'client';
    this.#running += 1;
    this.#byClient.set(client, ownCount + 1);
    return undefined;
  }

  leave(address: string): void {
    const client = clientKey(address);
    const left = (this.#byClient.get(client) ?? 1) - 1;
    this.#running -= 1;
    if (left === 0) this.#byClient.delete(client);
    else this.#byClient.set(client, left);
  }
}
