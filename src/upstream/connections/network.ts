import { lookup } from 'node:dns/promises';
import { connect, isIP, isIPv6, type LookupFunction, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectByTls, type ConnectionOptions } from 'node:tls';

/** Resolves names to addresses and connects to addresses. Tests have implementations of their own. */
export interface Network {
  /** Returns all addresses of a host name or IP literal. Rejects with the resolver's error. */
  resolve(hostname: string): Promise<readonly string[]>;
  /** Begins to connect to the addresses, in turn until one answers. */
  connect(addresses: readonly string[], port: number, options?: SocketOptions): Socket;
}

/** What a socket has to be told when it is made. */
export interface SocketOptions {
  /** Where the socket reads to; absent: it is a stream. */
  readonly onread?: OnReadOpts | undefined;
  /** Absent: the connection is plain. */
  readonly tls?: ConnectionOptions | undefined;
}

/** Begins to connect, by TLS if the options say so. */
export function connectTo(
  to: { readonly host: string; readonly port: number; readonly lookup?: LookupFunction },
  { onread, tls }: SocketOptions = {},
): Socket {
  const options = { ...to, noDelay: true, ...(onread !== undefined && { onread }) };
  return tls === undefined ? connect(options) : connectByTls({ ...tls, ...options });
}

/** Returns the port of a URL or of undici's connector options: by default the protocol's own. */
export function portOf({ protocol, port }: { readonly protocol: string; readonly port: string }): number {
  return Number(port) || (protocol === 'https:' ? 443 : 80);
}

export const systemNetwork: Network = {
  async resolve(hostname) {
    if (isIP(hostname) !== 0) return [hostname];
    const found = await lookup(hostname, { all: true });
    return found.map(({ address }) => address);
  },
  connect: (addresses, port, options) =>
    // The name was resolved and its addresses were judged; resolving it again here could give others.
    connectTo({ host: 'resolved.invalid', port, lookup: fixedLookup(addresses) }, options),
};

function fixedLookup(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  return (_hostname, options, callback) => {
    const [first] = found;
    if (options.all === true) callback(null, found);
    else callback(null, first?.address ?? '', first?.family ?? 4);
  };
}
