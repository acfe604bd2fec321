import { Socket } from 'node:net';
import type { Network, SocketOptions } from '../../src/upstream/connections/network.ts';
import { FakeNetwork } from './fake-network.ts';

/**
 * How connections to upstream fail:
 * - `refused`: no server listens.
 * - `blackholed`: packets are dropped, so that a connection is neither made nor refused.
 * - `unresolved`: the name server does not know the name.
 * - a port: another server answers there.
 */
export type NetworkFault = 'refused' | 'blackholed' | 'unresolved' | { readonly port: number };

/** A fake network that fails when the test says so, and notes the attempts that have failed. */
export class FaultyNetwork implements Network {
  readonly names = new FakeNetwork();
  readonly #open = new Set<Socket>();
  #fault: NetworkFault | undefined;
  /** How each failed attempt to reach upstream has failed. */
  readonly lost: string[] = [];

  /** Fails from now on, and resets open connections. */
  fail(fault: NetworkFault): void {
    this.blockNew(fault);
    for (const socket of this.#open) socket.destroy(errno('ECONNRESET'));
  }

  /** Fails from now on, but only for new connections. */
  blockNew(fault: NetworkFault): void {
    this.#fault = fault;
  }

  heal(): void {
    this.#fault = undefined;
  }

  resolve(hostname: string): Promise<readonly string[]> {
    if (this.#fault !== 'unresolved') return this.names.resolve(hostname);
    this.lost.push(this.#fault);
    return Promise.reject(errno('ENOTFOUND'));
  }

  connect(addresses: readonly string[], port: number, options?: SocketOptions): Socket {
    if (this.#fault === undefined) return this.#kept(this.names.connect(addresses, port, options));
    this.lost.push(typeof this.#fault === 'object' ? 'answered by somebody else' : this.#fault);
    if (this.#fault === 'blackholed') return new Socket();
    if (typeof this.#fault === 'object') return this.names.connect(addresses, this.#fault.port, options);
    const refused = new Socket();
    setImmediate(() => refused.destroy(errno('ECONNREFUSED')));
    return refused;
  }

  #kept(socket: Socket): Socket {
    socket.setNoDelay(true);
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    return socket;
  }
}

function errno(code: string): Error {
  return Object.assign(new Error(code), { code });
}
