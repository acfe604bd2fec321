import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bindUnixSocket } from '../unix-socket.ts';

/** The place that a server listens on. */
export type ServerAddress =
  | {
      /** Undefined: every interface. */
      readonly host: string | undefined;
      /** 0: any free port. */
      readonly port: number;
    }
  /** A Unix socket. */
  | { readonly path: string };

/** The place that a server does listen on, as the system tells it. */
export type BoundAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export interface Bound {
  readonly address: BoundAddress;
  /** Lets another process have the place of a Unix socket, while the open connections go on. */
  release(): Promise<void>;
}

/** The owner and the group may connect: a proxy in front is another user, who belongs to the group. */
const MODE = 0o660;

/** Makes a server listen. @throws the system's error (EADDRINUSE, EACCES) */
export async function bind(server: Server, address: ServerAddress): Promise<Bound> {
  if ('path' in address) {
    const socket = await bindUnixSocket(server, address.path, MODE);
    // A socket that stays is dead, and the next start replaces it: no reason not to end in order.
    const release = (): Promise<void> => socket.remove().catch(() => undefined);
    return { address: { path: address.path }, release };
  }
  server.listen(address);
  await once(server, 'listening');
  const { address: host, port } = server.address() as AddressInfo;
  return { address: { host, port }, release: () => Promise.resolve() };
}
