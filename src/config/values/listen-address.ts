import { isIP, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { asciiLower } from '../../text/ascii.ts';
import { isHostName } from './host.ts';
import { textLeaf, type Leaf } from './leaf.ts';
import { ValueError } from './value-error.ts';

/** An address to listen on. */
export interface ListenAddress {
  /** A name or an IP address without brackets; undefined: every address of the machine, IPv4 and IPv6. */
  readonly host: string | undefined;
  /** 0: any free port. */
  readonly port: number;
}

const ADDRESS = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/;

const EXPECTED = 'an address such as 127.0.0.1:5000, :5000 or "[::1]:5000"';

/**
 * Reads `host:port`, `[IPv6]:port`, or `:port` for every address.
 * @throws ValueError
 */
export function parseListenAddress(text: string): ListenAddress {
  const [, ipv6, name, digits] = ADDRESS.exec(asciiLower(text)) ?? [];
  const port = Number(digits);
  const isHost = ipv6 === undefined ? name === '' || isHostName(name ?? '') : isIPv6(ipv6);
  if (!isHost || !(port <= 65_535)) throw new ValueError(EXPECTED);
  return { host: ipv6 ?? (name === '' ? undefined : name), port };
}

/** The inverse of `parseListenAddress`. */
export function formatListenAddress({ host, port }: ListenAddress): string {
  if (host === undefined) return `:${port}`;
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Returns whether only this machine reaches the address: 127.0.0.0/8, ::1 (RFC 6890) and localhost (RFC 6761). */
export function isLoopback({ host }: ListenAddress): boolean {
  if (host === undefined) return false;
  if (isIP(host) === 0) return host === 'localhost';
  return ipaddr.process(host).range() === 'loopback';
}

/** An address to listen on. */
export function listenAddress(): Leaf<ListenAddress> {
  const expected = 'an address such as 127.0.0.1:5000';
  return textLeaf({ title: 'address', expected, parse: parseListenAddress, format: formatListenAddress });
}
