import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { parseForwarded, parseXForwardedFor, type Hops } from '../../http/forwarded.ts';
import { UNIX_PEER } from './peer.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = ReturnType<typeof ipaddr.parseCIDR>;

/**
 * The proxies that Larder believes when they name the client. Trusted proxies at the end of the chain of hops have
 * written what they saw themselves; the client may have written everything before that.
 */
export class TrustedProxies {
  readonly #networks: readonly Network[];
  readonly #trustsUnix: boolean;

  /** @param proxies each a network with its prefix length (`10.0.0.0/8`), or `unix` */
  constructor(proxies: readonly string[]) {
    const networks = proxies.filter((proxy) => proxy !== UNIX_PEER);
    this.#networks = networks.map((network) => ipaddr.parseCIDR(network));
    this.#trustsUnix = networks.length < proxies.length;
  }

  isTrusted(address: string): boolean {
    if (address === UNIX_PEER) return this.#trustsUnix;
    if (this.#networks.length === 0) return false;
    const parsed = parseAddress(address);
    return parsed !== undefined && this.#isInside(parsed);
  }

  /**
   * Returns the client's address: the nearest hop that is no trusted proxy. If a trusted proxy does not name a client,
   * or not readably, returns that proxy's address.
   * @param peer the address of the connection
   */
  clientOf(peer: string, headers: IncomingHttpHeaders): string {
    if (!this.isTrusted(peer)) return peer;
    const candidates = chainsOf(headers).map((hops) => this.#outermost(peer, hops));
    const [client = peer, ...others] = candidates;
    // A proxy writes one of the headers, and may pass on the other one as the client sent it.
    return others.every((other) => other === client) ? client : peer;
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
 * may hold any character. IPv4 within IPv6 is IPv4; its short forms (`127.1`) are no addresses.
 */
function parseAddress(text: string): Address | undefined {
  const [address = ''] = text.split('%', 1);
  return isIP(address) !== 0 && ipaddr.isValid(address) ? ipaddr.process(address) : undefined;
}

function chainsOf({ forwarded, 'x-forwarded-for': xForwardedFor }: IncomingHttpHeaders): readonly Hops[] {
  const lines = [xForwardedFor ?? []].flat();
  return [
    ...(forwarded === undefined ? [] : [parseForwarded(forwarded)]),
    ...(lines.length === 0 ? [] : [parseXForwardedFor(lines.join(','))]),
  ];
}
