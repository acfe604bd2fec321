import {
  addressScope,
  farthestScope,
  literalScope,
  mayReach,
  nearestScope,
  type AddressScope,
} from './address.ts';
import { portOf, type Network } from './network.ts';

/** A redirect or a realm led to an address that upstream has no reason to name. */
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

/** The target of a connection, with the members that both a URL and undici's connector options have. */
export interface Destination {
  readonly protocol: string;
  readonly hostname: string;
  /** Empty: the protocol's default port. */
  readonly port: string;
}

/**
 * Keeps an upstream from sending Larder to addresses inside (SSRF). The guard judges the very addresses that are then
 * dialled, so a name that resolves differently a moment later gains nothing (DNS rebinding).
 *
 * The name of the upstream does not tell how far inside it is, since the owner of its DNS may answer anything. A
 * literal address in the configuration tells it. Without one, the addresses of established connections (TLS included)
 * tell it, and the farthest of them counts. Only the configured port is the upstream itself; another port of the same
 * host is judged like any other address.
 */
export class AddressGuard {
  readonly #options: GuardOptions;
  #scope: AddressScope | undefined;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /**
   * Resolves the destination. @returns the addresses, all of which may be dialled
   * @throws ForbiddenAddressError, or the resolver's error
   */
  async admit(to: Destination): Promise<readonly string[]> {
    const addresses = await this.#options.network.resolve(bare(to.hostname));
    const scope = nearestScope(addresses.map(addressScope));
    const isAllowed = this.#isUpstream(to) ? this.#isConfigured(scope) : this.#mayReach(scope);
    if (isAllowed) return addresses;
    throw new ForbiddenAddressError(to.hostname);
  }

  /** Notes that a connection to one of the addresses was established. */
  connected(to: Destination, addresses: readonly string[]): void {
    if (!this.#isUpstream(to)) return;
    // The socket does not tell which of the addresses was dialled. Once upstream counts as outside, no later answer of
    // its DNS makes it count as inside.
    const known = this.#scope === undefined ? [] : [this.#scope];
    this.#scope = farthestScope([...known, ...addresses.map(addressScope)]);
  }

  /**
   * Judges a destination without resolving it. If a proxy resolves the name, this is the only check.
   * @throws ForbiddenAddressError
   */
  admitLiteral(to: Destination): void {
    const scope = literalScope(to.hostname);
    if (scope === undefined || this.#isUpstream(to) || this.#mayReach(scope)) return;
    throw new ForbiddenAddressError(to.hostname);
  }

  /** Whether the operator means this address: a literal may be any, but a name must not resolve to cloud metadata. */
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

/** Removes the brackets, which IPv6 literals have in URLs and nowhere else. */
function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
}
