import { isIP, isIPv6 } from 'node:net';
import { posix } from 'node:path';
import ipaddr from 'ipaddr.js';
import { asciiLower } from '../../../text/ascii.ts';
import { isHostName } from './host.ts';
import { textLeaf, type Leaf } from '../leaf.ts';
import { ValueError } from '../value-error.ts';

/** An address to listen on: a port of the network, or a Unix socket. */
export type ListenAddress =
  | {
      /** A name or an IP address without brackets; undefined: every address of the machine, IPv4 and IPv6. */
      readonly host: string | undefined;
      /** 0: any free port. */
      readonly port: number;
    }
  | {
      /** The absolute path of the socket's file. */
      readonly path: string;
    };

const ADDRESS = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/;
const UNIX = /^unix:(\/[^\0]*)$/;

/** Less than a socket's path may have (`sockaddr_un`: 103 bytes): it is made in a folder beside its last place. */
const MAX_UNIX_BYTES = 90;

const EXPECTED = 'an address such as 127.0.0.1:5000, :5000, "[::1]:5000" or unix:/run/larder/larder.sock';
const EXPECTED_UNIX = `"unix:" and an absolute path of at most ${MAX_UNIX_BYTES} bytes`;

/**
 * Reads `host:port`, `[IPv6]:port`, `:port` for every address, or `unix:/path` for a Unix socket.
 * @throws ValueError
 */
export function parseListenAddress(text: string): ListenAddress {
  if (text.startsWith('unix:/')) return { path: parseSocketPath(text) };
  const [, ipv6, name, digits] = ADDRESS.exec(asciiLower(text)) ?? [];
  const port = Number(digits);
  const isHost = ipv6 === undefined ? name === '' || isHostName(name ?? '') : isIPv6(ipv6);
  if (!isHost || !(port <= 65_535)) throw new ValueError(EXPECTED);
  return { host: ipv6 ?? (name === '' ? undefined : name), port };
}

function parseSocketPath(text: string): string {
  const [, path = ''] = UNIX.exec(text) ?? [];
  const isFile = posix.normalize(path) === path && !path.endsWith('/');
  if (!isFile || Buffer.byteLength(path) > MAX_UNIX_BYTES) throw new ValueError(EXPECTED_UNIX);
  return path;
}

/** The inverse of `parseListenAddress`. */
export function formatListenAddress(address: ListenAddress): string {
  if ('path' in address) return `unix:${address.path}`;
  const { host, port } = address;
  if (host === undefined) return `:${port}`;
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Returns whether only this machine reaches the address: 127.0.0.0/8, ::1 (RFC 6890), localhost (RFC 6761), and a Unix
 * socket.
 */
export function isLoopback(address: ListenAddress): boolean {
  if ('path' in address) return true;
  const { host } = address;
  if (host === undefined) return false;
  if (isIP(host) === 0) return host === 'localhost';
  return ipaddr.process(host).range() === 'loopback';
}

/** An address to listen on. */
export function listenAddress(): Leaf<ListenAddress> {
  const expected = 'an address such as 127.0.0.1:5000';
  return textLeaf({ title: 'address', expected, parse: parseListenAddress, format: formatListenAddress });
}
