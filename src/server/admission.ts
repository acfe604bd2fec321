/** How many requests are served at the same time. */
export interface AdmissionLimits {
  readonly requests: number;
  /** From one address. */
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

  /** Requests being served. */
  get running(): number {
    return this.#running;
  }

  /** Clients with requests being served. */
  get clients(): number {
    return this.#byClient.size;
  }

  /** @returns undefined where the request may be served; then `leave` is due when it is over */
  enter(client: string): Refusal | undefined {
    const mine = this.#byClient.get(client) ?? 0;
    if (this.#running >= this.#limits.requests) return 'all';
    if (mine >= this.#limits.requestsPerClient) return 'client';
    this.#running += 1;
    this.#byClient.set(client, mine + 1);
    return undefined;
  }

  leave(client: string): void {
    const left = (this.#byClient.get(client) ?? 1) - 1;
    this.#running -= 1;
    if (left === 0) this.#byClient.delete(client);
    else this.#byClient.set(client, left);
  }
}
