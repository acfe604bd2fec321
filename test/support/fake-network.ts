import { isIP, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { connectTo, type Network, type SocketOptions } from '../../src/upstream/connections/network.ts';
import { tellConnection } from './loopback-traffic.ts';

/**
 * A network in which the test says what a name resolves to. Every connection goes to this machine's loopback, at the
 * port that was asked for, so that a server there can play any host.
 */
export class FakeNetwork implements Network {
  readonly #names = new Map<string, readonly string[]>();
  /** Addresses that were dialled, in order. */
  readonly dialled: string[] = [];
  /** Number of connections of the reader for large bodies. */
  read = 0;

  /** Gives `hostname` these addresses from now on. */
  name(hostname: string, ...addresses: readonly string[]): this {
    this.#names.set(hostname, addresses);
    return this;
  }

  resolve(hostname: string): Promise<readonly string[]> {
    if (isIP(hostname) !== 0) return Promise.resolve([hostname]);
    const addresses = this.#names.get(hostname);
    if (addresses !== undefined) return Promise.resolve(addresses);
    return Promise.reject(
      Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' }),
    );
  }

  connect(addresses: readonly string[], port: number, options?: SocketOptions): Socket {
    this.dialled.push(addresses[0] ?? '');
    if (options?.onread !== undefined) this.read += 1;
    const socket = connectTo({ host: '127.0.0.1', port }, options);
    if (socket instanceof TLSSocket) tellConnection(socket);
    return socket;
  }
}
