import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { ValueError } from '../value-error.ts';

/** The expected value: the address of one machine, or of a network. */
const NETWORK_EXAMPLE = 'an address or a network such as 10.0.0.2 or 10.0.0.0/8';

const NETWORK = /^([^/]+?)(?:\/([0-9]{1,3}))?$/;
const MAPPED_BITS = 96;

/**
 * Reads `192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`.
 * @returns the network with its prefix length; an IPv4 one also for IPv4 within IPv6
 * @throws ValueError also for a network of all addresses, with which Larder would believe every client
 */
export function parseNetwork(text: string): string {
  const [, address = '', digits] = NETWORK.exec(text) ?? [];
  if (!isIPv4(address) && !(isIPv6(address) && !address.includes('%'))) throw new ValueError(NETWORK_EXAMPLE);
  const plain = ipaddr.process(address);
  const written = isIPv4(address) ? 32 : 128;
  const bits = Number(digits ?? written) - (plain.kind() === 'ipv4' && written === 128 ? MAPPED_BITS : 0);
  if (bits > (plain.kind() === 'ipv4' ? 32 : 128)) throw new ValueError(NETWORK_EXAMPLE);
  if (bits <= 0) throw new ValueError(`${NETWORK_EXAMPLE}, not of every address`);
  return `${plain.toString()}/${bits}`;
}
