import { addressScope, literalScope, mayReach, nearestScope, type AddressScope } from './address.ts';
import type { Network } from './network.ts';

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
  /** Host name of the upstream's configured URL. */
  readonly upstreamHost: string;
  readonly allowPrivate: boolean;
  readonly network: Network;
}

/**
 * Keeps an upstream from sending Larder to addresses inside (SSRF). What is judged are the very addresses that
 * are then dialled, so a name that resolves differently a moment later gains nothing (DNS rebinding).
 */
export class AddressGuard {
  readonly #options: GuardOptions;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /**
   * Addresses of the host that may be dialled.
   * @throws ForbiddenAddressError, or the resolver's error
   */
  async admit(hostname: string): Promise<readonly string[]> {
    const { network, upstreamHost } = this.#options;
    const addresses = await network.resolve(hostname);
    const scope = nearestScope(addresses.map(addressScope));
    if (scope === 'public') return addresses;
    const isOwn = isSameHost(hostname, upstreamHost);
    if (isOwn ? this.#isConfigured(scope) : this.#mayReach(scope, await this.#upstreamScope()))
      return addresses;
    throw new ForbiddenAddressError(hostname);
  }

  /**
   * What can be told without resolving: all that there is where a proxy does the resolving.
   * @throws ForbiddenAddressError
   */
  admitLiteral(hostname: string): void {
    const scope = literalScope(hostname);
    if (scope === undefined || isSameHost(hostname, this.#options.upstreamHost)) return;
    if (!this.#mayReach(scope, literalScope(this.#options.upstreamHost) ?? 'public')) {
      throw new ForbiddenAddressError(hostname);
    }
  }

  /** The operator may name any address; a name that turns out to be cloud metadata was not meant. */
  #isConfigured(scope: AddressScope): boolean {
    return scope !== 'restricted' || literalScope(this.#options.upstreamHost) === 'restricted';
  }

  async #upstreamScope(): Promise<AddressScope> {
    const addresses = await this.#options.network.resolve(bare(this.#options.upstreamHost));
    return nearestScope(addresses.map(addressScope));
  }

  #mayReach(target: AddressScope, upstream: AddressScope): boolean {
    return mayReach(target, upstream, this.#options.allowPrivate);
  }
}

function isSameHost(one: string, other: string): boolean {
  return bare(one) === bare(other);
}

/** IPv6 literals have brackets in URLs and none elsewhere. */
function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
}
