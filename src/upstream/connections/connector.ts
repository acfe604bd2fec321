import { once } from 'node:events';
import type { Socket } from 'node:net';
import { buildConnector, errors } from 'undici';
import type { Clock } from '../../clock.ts';
import type { AddressGuard } from './address-guard.ts';
import { portOf, type Network } from './network.ts';
import { tidyHeads } from './tidy-heads.ts';
import { ByContext, type Trust } from './trust.ts';

export interface ConnectorOptions {
  readonly trust: Pick<Trust, 'context'>;
  /** Deadline of TCP and TLS together, in milliseconds. */
  readonly connectMs: number;
  readonly network: Network;
  readonly clock: Clock;
  /** Ends connections that are being established: undici does not end them when it closes. */
  readonly ending: AbortSignal;
  /** Resolves a host to the addresses that may be dialled, and learns of the connections that were established. */
  readonly guard: Pick<AddressGuard, 'admit' | 'connected'>;
}

/** Makes a connector for undici that resolves and judges hosts itself, and has one deadline by Larder's clock. */
export function createConnector(options: ConnectorOptions): buildConnector.connector {
  const secure = new ByContext((secureContext) =>
    buildConnector({ secureContext, allowH2: false, timeout: 0 }),
  );
  return (target, callback) => {
    void report(dial(options, secure, target), callback);
  };
}

async function report(dialling: Promise<Socket>, callback: buildConnector.Callback): Promise<void> {
  let socket: Socket;
  try {
    socket = await dialling;
  } catch (error) {
    callback(error as Error, null);
    return;
  }
  callback(null, socket);
}

async function dial(
  options: ConnectorOptions,
  secure: ByContext<buildConnector.connector>,
  target: buildConnector.Options,
): Promise<Socket> {
  const late = Promise.withResolvers<never>();
  const cancel = options.clock.after(options.connectMs, () => late.reject(new errors.ConnectTimeoutError()));
  const end = (): void => late.reject(new errors.ClientDestroyedError());
  options.ending.addEventListener('abort', end, { once: true });
  let socket: Socket | undefined;
  try {
    const context = target.protocol === 'https:' ? options.trust.context() : undefined;
    const ready = Promise.all([options.guard.admit(target), context]);
    const [addresses, trusted] = await Promise.race([ready, late.promise]);
    socket = options.network.connect(addresses, portOf(target));
    const connecting = connect(socket, trusted === undefined ? undefined : secure.get(trusted), target);
    const connected = await Promise.race([connecting, late.promise]);
    options.guard.connected(target, addresses);
    return tidyHeads(connected);
  } catch (error) {
    // The socket may still fail later; its error has no listener any more, and must not end the process.
    socket?.on('error', () => undefined).destroy();
    throw error;
  } finally {
    cancel();
    options.ending.removeEventListener('abort', end);
  }
}

async function connect(
  socket: Socket,
  secure: buildConnector.connector | undefined,
  target: buildConnector.Options,
): Promise<Socket> {
  socket.setKeepAlive(true, 60_000);
  await once(socket, 'connect');
  if (secure === undefined) return socket;
  return new Promise((resolve, reject) => {
    secure({ ...target, httpSocket: socket }, (error, secured) => {
      if (error === null) resolve(secured);
      else reject(error);
    });
  });
}
