import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { errors } from 'undici';
import type { Clock } from '../../clock.ts';
import type { AddressGuard, Destination } from './address-guard.ts';
import type { Trust } from './trust.ts';

export interface DialOptions {
  readonly trust: Pick<Trust, 'context'>;
  /** Deadline of TCP and TLS together, in milliseconds. */
  readonly connectMs: number;
  readonly clock: Clock;
  /** Ends connections that are being established, with its reason. */
  readonly ending: AbortSignal;
  /** Resolves a host to the addresses that may be dialled, and learns of the connections that were established. */
  readonly guard: Pick<AddressGuard, 'admit' | 'connected'>;
}

/** A connection that is being established. */
export interface Dialled<T> {
  readonly socket: Socket;
  readonly connected: Promise<T>;
}

/**
 * Establishes a connection: resolves and judges the host, and has one deadline by Larder's clock.
 * @param begin begins to connect to the addresses; by TLS if there is a context
 * @throws ForbiddenAddressError; ConnectTimeoutError; the reason of `ending`; the error of the resolver, of the socket
 *   or of TLS
 */
export async function dial<T>(
  options: DialOptions,
  target: Destination,
  begin: (addresses: readonly string[], context: SecureContext | undefined) => Dialled<T>,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const cancel = options.clock.after(options.connectMs, () => late.reject(new errors.ConnectTimeoutError()));
  const end = (): void => late.reject(options.ending.reason);
  if (options.ending.aborted) end();
  options.ending.addEventListener('abort', end, { once: true });
  let socket: Socket | undefined;
  try {
    const context = target.protocol === 'https:' ? options.trust.context() : undefined;
    const ready = Promise.all([options.guard.admit(target), context]);
    const [addresses, trusted] = await Promise.race([ready, late.promise]);
    const dialled = begin(addresses, trusted);
    socket = dialled.socket;
    const connected = await Promise.race([dialled.connected, late.promise]);
    options.guard.connected(target, addresses);
    return connected;
  } catch (error) {
    // The socket may still fail later; its error has no listener any more, and must not end the process.
    socket?.on('error', () => undefined).destroy();
    throw error;
  } finally {
    cancel();
    options.ending.removeEventListener('abort', end);
  }
}
