import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { parseForwarded, parseXForwardedFor, type Hops } from '../../http/forwarded.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = ReturnType<typeof ipaddr.parseCIDR>;

/**
 * The proxies that are believed when they tell for whom they ask. From the last of them on, the chain of hops is what
 * they have seen themselves; what stands in front of it was written by the client.
 */
export class TrustedProxies {
  readonly #networks: readonly Network[];

  /** @param networks with their lengths: `10.0.0.0/8` */
  constructor(networks: readonly string[]) {
    this.#networks = networks.map((network) => ipaddr.parseCIDR(network));
  }

  isTrusted(address: string): boolean {
    if (this.#networks.length === 0) return false;
    const parsed = parseAddress(address);
    return parsed !== undefined && this.#isInside(parsed);
  }

  /**
   * The address of the client: the nearest hop that is no trusted proxy. Where a trusted proxy does not tell it, or in
   * a way that cannot be read, it is the proxy itself.
   * @param peer the address of the connection
   */
  clientOf(peer: string, headers: IncomingHttpHeaders): string {
    if (!this.isTrusted(peer)) return peer;
    const tellings = tellingsOf(headers).map((hops) => this.#outermost(peer, hops));
    const [told = peer, ...others] = tellings;
    // A proxy writes one of the headers, and may pass on the other one as the client has sent it.
    return others.every((other) => other === told) ? told : peer;
  }

  #outermost(peer: string, hops: Hops): string {
    let client = peer;
    for (const hop of hops) {
      const address = parseAddress(hop);
      if (address === undefined) return client;
      client = address.toString();
      if (!this.#isInside(address)) return client;
    }
    return client;
  }

  #isInside(address: Address): boolean {
    return this.#networks.some(([network, bits]) =>
      address.kind() === network.kind() ? address.match([network, bits] as never) : false,
    );
  }
}

/**
 * Reads an address, without its zone (RFC 4007 section 11): a zone names an interface of the machine that wrote it, and
 * may hold any character. IPv4 within IPv6 is IPv4; its short forms (`127.1`) are none.
 */
function parseAddress(text: string): Address | undefined {
  const [address = ''] = text.split('%', 1);
  return isIP(address) !== 0 && ipaddr.isValid(address) ? ipaddr.process(address) : undefined;
}

function tellingsOf({ forwarded, 'x-forwarded-for': xForwardedFor }: IncomingHttpHeaders): readonly Hops[] {
  const lines = [xForwardedFor ?? []].flat();
  return [
    ...(forwarded === undefined ? [] : [parseForwarded(forwarded)]),
    ...(lines.length === 0 ? [] : [parseXForwardedFor(lines.join(','))]),
  ];
}
