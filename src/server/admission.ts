import ipaddr from 'ipaddr.js';

/** How many requests are served at the same time. */
export interface AdmissionLimits {
  readonly requests: number;
  /** From one client: an IPv4 address, or a /64 of IPv6, which is the least that one machine is given. */
  readonly requestsPerClient: number;
}

export type Refusal = 'client' | 'all';

/**
 * Who may be served now. There is no queue: a request beyond a limit is refused at once, so that the client can
 * go elsewhere or come again.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #byClient = new Map<string, number>();
  #running = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /**
   * @param address of the client, as a socket tells it
   * @returns undefined where the request may be served; then `leave` is due when it is over
   */
  enter(address: string): Refusal | undefined {
    const client = clientOf(address);
    const mine = this.#byClient.get(client) ?? 0;
    if (this.#running >= this.#limits.requests) return 'all';
    if (mine >= this.#limits.requestsPerClient) return 'client';
    this.#running += 1;
    this.#byClient.set(client, mine + 1);
    return undefined;
  }

  leave(address: string): void {
    const client = clientOf(address);
    const left = (this.#byClient.get(client) ?? 1) - 1;
    this.#running -= 1;
    if (left === 0) this.#byClient.delete(client);
    else this.#byClient.set(client, left);
  }
}

/** Where a listener for both kinds of addresses shows IPv4 ones. */
const MAPPED_IPV4 = /^::ffff:(?=\d+\.)/i;

/** Whom an address belongs to: a host has a whole /64 of IPv6 addresses, and takes new ones as it likes (RFC 8981). */
export function clientOf(address: string): string {
  const plain = address.replace(MAPPED_IPV4, '');
  if (!ipaddr.IPv6.isValid(plain)) return plain;
  return ipaddr.IPv6.parse(plain).parts.slice(0, 4).join(':');
}
