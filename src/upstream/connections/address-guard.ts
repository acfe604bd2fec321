import {
  addressScope,
  farthestScope,
  literalScope,
  mayReach,
  nearestScope,
  type AddressScope,
} from './address.ts';
import { portOf, type Network } from './network.ts';

/** A redirect or a realm led to an address that upstream has no business with. */
export class ForbiddenAddressError extends Error {
  override readonly name = 'ForbiddenAddressError';
  readonly hostname: string;

  constructor(hostname: string) {
    super(`${hostname} leads to an address that only allowPrivateNetworks would open`);
    this.hostname = hostname;
  }
}

export interface GuardOptions {
  /** The upstream's configured URL. */
  readonly upstream: URL;
  readonly allowPrivate: boolean;
  readonly network: Pick<Network, 'resolve'>;
}

/** What is to be connected to: as undici says it to its connectors, and as a URL has it. */
export interface Destination {
  readonly protocol: string;
  readonly hostname: string;
  /** Empty: the protocol's own. */
  readonly port: string;
}

/**
 * Keeps an upstream from sending Larder to addresses inside (SSRF). What is judged are the very addresses that
 * are then dialled, so a name that resolves differently a moment later gains nothing (DNS rebinding).
 *
 * How far inside upstream itself is, its name does not tell, as whoever answers for the name may say anything: the
 * configuration does by a literal address, or else the connections to it that came about (TLS included), of which
 * the farthest counts. Only the configured port is the upstream itself; another one of the same host is judged like
 * any other address.
 */
export class AddressGuard {
  readonly #options: GuardOptions;
  #scope: AddressScope | undefined;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /**
   * Addresses of the destination that may be dialled.
   * @throws ForbiddenAddressError, or the resolver's error
   */
  async admit(to: Destination): Promise<readonly string[]> {
    const addresses = await this.#options.network.resolve(bare(to.hostname));
    const scope = nearestScope(addresses.map(addressScope));
    const isAllowed = this.#isUpstream(to) ? this.#isConfigured(scope) : this.#mayReach(scope);
    if (isAllowed) return addresses;
    throw new ForbiddenAddressError(to.hostname);
  }

  /** A connection has come about to one of the addresses. */
  connected(to: Destination, addresses: readonly string[]): void {
    if (!this.#isUpstream(to)) return;
    // Which of several it is, is not told; once outside, upstream does not get inside by another answer of its DNS.
    const known = this.#scope === undefined ? [] : [this.#scope];
    this.#scope = farthestScope([...known, ...addresses.map(addressScope)]);
  }

  /**
   * What can be told without resolving: all that there is where a proxy does the resolving.
   * @throws ForbiddenAddressError
   */
  admitLiteral(to: Destination): void {
    const scope = literalScope(to.hostname);
    if (scope === undefined || this.#isUpstream(to) || this.#mayReach(scope)) return;
    throw new ForbiddenAddressError(to.hostname);
  }

  /** The operator may name any address; a name that turns out to be cloud metadata was not meant. */
  #isConfigured(scope: AddressScope): boolean {
    return scope !== 'restricted' || literalScope(this.#options.upstream.hostname) === 'restricted';
  }

  #mayReach(target: AddressScope): boolean {
    const { upstream, allowPrivate } = this.#options;
    return mayReach(target, literalScope(upstream.hostname) ?? this.#scope ?? 'public', allowPrivate);
  }

  #isUpstream(to: Destination): boolean {
    const { upstream } = this.#options;
    return bare(to.hostname) === bare(upstream.hostname) && portOf(to) === portOf(upstream);
  }
}

/** IPv6 literals have brackets in URLs and none elsewhere. */
function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
}
