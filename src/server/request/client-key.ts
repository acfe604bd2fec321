import ipaddr from 'ipaddr.js';

/** Prefix of an IPv4 address as a socket shows it that listens for IPv4 and IPv6. */
const MAPPED_IPV4 = /^::ffff:(?=\d+\.)/i;

/**
 * Returns the key by which limits count a client: a host has a whole /64 of IPv6 addresses, and takes new ones as it
 * likes (RFC 8981).
 * @param address as a socket tells it
 */
export function clientKey(address: string): string {
  const plain = address.replace(MAPPED_IPV4, '');
  if (!ipaddr.IPv6.isValid(plain)) return plain;
  return ipaddr.IPv6.parse(plain).parts.slice(0, 4).join(':');
}
