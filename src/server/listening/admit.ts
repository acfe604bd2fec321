import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../clock.ts';
import type { Connections } from './connections.ts';
import type { Mishaps } from '../mishaps.ts';
import { clientKey } from '../request/client-key.ts';
import type { PeerOf } from '../request/peer.ts';
import type { TrustedProxies } from '../request/trusted-proxies.ts';

/** How long a connection of the reserve may be open, milliseconds. */
const RESERVE_MS = 2_000;

export interface AdmitOptions {
  readonly connections: Connections<Socket>;
  readonly mishaps: Mishaps;
  readonly proxies: TrustedProxies;
  readonly clock: Clock;
  readonly peerOf: PeerOf;
}

/** Gives each new connection a place, and closes the connection whose place it takes. */
export function admitConnections(
  server: Server,
  { connections, mishaps, proxies, clock, peerOf }: AdmitOptions,
): void {
  let proxied = 0;
  const admit = (socket: Socket): void => {
    const address = peerOf(socket);
    // Behind a proxy there are many clients: its connections count for no client's share.
    const client = proxies.isTrusted(address) ? `proxied ${(proxied += 1)}` : clientKey(address);
    const { use, closing } = connections.open(client, socket);
    closing?.destroy();
    const cancel = use === 'health' ? clock.after(RESERVE_MS, () => socket.destroy()) : undefined;
    socket.once('close', () => {
      cancel?.();
      connections.closed(socket);
    });
  };
  server.on('connection', (socket) => {
    const isAdmitted = mishaps.guard('take a connection', () => admit(socket));
    if (!isAdmitted) socket.destroy();
  });
}
