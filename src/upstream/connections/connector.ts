import { once } from 'node:events';
import type { Socket } from 'node:net';
import { buildConnector } from 'undici';
import { dial, type DialOptions } from './dial.ts';
import { portOf, type Network } from './network.ts';
import { tidyHeads } from './tidy-heads.ts';
import { ByContext } from './trust.ts';

/** `ending` is needed since undici does not end connections that are being established when it closes. */
export interface ConnectorOptions extends DialOptions {
  readonly network: Network;
}

/** Makes a connector for undici that resolves and judges hosts itself, and has one deadline by Larder's clock. */
export function createConnector(options: ConnectorOptions): buildConnector.connector {
  const secure = new ByContext((secureContext) =>
    buildConnector({ secureContext, allowH2: false, timeout: 0 }),
  );
  return (target, callback) => {
    const dialling = dial(options, target, (addresses, context) => {
      const socket = options.network.connect(addresses, portOf(target));
      return { socket, connected: connect(socket, context && secure.get(context), target) };
    });
    void report(dialling, callback);
  };
}

async function report(dialling: Promise<Socket>, callback: buildConnector.Callback): Promise<void> {
  let socket: Socket;
  try {
    socket = tidyHeads(await dialling);
  } catch (error) {
    callback(error as Error, null);
    return;
  }
  callback(null, socket);
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
