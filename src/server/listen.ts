import { once } from 'node:events';
import { createServer, type Server, type ServerOptions } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../clock.ts';
import type { App } from './app.ts';
import type { RequestRecord, RequestRecords } from './request-record.ts';

export interface ListenOptions {
  readonly app: App;
  readonly records: RequestRecords;
  readonly clock: Clock;
  /** Undefined: every interface. */
  readonly host: string | undefined;
  /** 0: any free port. */
  readonly port: number;
  readonly limits: ConnectionLimits;
}

interface ConnectionLimits {
  /** How long a client may take to send its request, milliseconds. */
  readonly headerTimeoutMs: number;
  /** Open connections; what comes beyond is closed at once. */
  readonly connections: number;
}

/** Node's default, said: names and headers of the longest honest request fit many times over. */
const MAX_HEADER_BYTES = 16 * 1024;
/** Above what load balancers keep idle connections for, so that it is they who close them. */
const KEEP_ALIVE_MS = 75_000;

export interface Listening {
  readonly host: string;
  readonly port: number;
  /**
   * Stops accepting, lets running requests finish for at most `limitMs` milliseconds, then cuts what is left.
   * @returns how many connections were cut
   */
  drain(limitMs: number): Promise<number>;
}

/** @throws the system's error where the address cannot be listened on (EADDRINUSE, EACCES) */
export async function listen({ app, records, clock, host, port, limits }: ListenOptions): Promise<Listening> {
  let isDraining = false;
  const onOver = (record: RequestRecord): void => {
    app.release(record);
    // A connection that was busy when the drain began is idle now, and would be kept alive.
    if (isDraining) server.closeIdleConnections();
  };
  const server = createServer(serverOptions(limits), (incoming, outgoing) => {
    const record = records.begin(incoming, outgoing, onOver);
    if (isDraining) outgoing.setHeader('Connection', 'close');
    app.handle(incoming, outgoing, record);
  });
  server.maxConnections = limits.connections;
  server.on('connect', (_incoming, socket) => refuseTunnel(socket));
  const sockets = trackSockets(server);
  server.listen({ port, host });
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    host: address.address,
    port: address.port,
    async drain(limitMs) {
      isDraining = true;
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      let cut = 0;
      const cancel = clock.after(limitMs, () => {
        cut = sockets.size;
        server.closeAllConnections();
      });
      await closed;
      cancel();
      return cut;
    },
  };
}

function serverOptions({ headerTimeoutMs }: ConnectionLimits): ServerOptions {
  return {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: headerTimeoutMs,
    requestTimeout: headerTimeoutMs,
    connectionsCheckingInterval: Math.max(50, headerTimeoutMs / 4),
    keepAliveTimeout: KEEP_ALIVE_MS,
  };
}

const NO_TUNNEL = [
  'HTTP/1.1 405 Method Not Allowed',
  'Allow: GET, HEAD',
  'Content-Length: 0',
  'Connection: close',
  '\r\n',
].join('\r\n');

/** CONNECT comes without a response to write to; Node closes the connection where nobody listens for it. */
function refuseTunnel(socket: Duplex): void {
  socket.on('error', () => undefined);
  socket.end(NO_TUNNEL, () => socket.destroy());
}

function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}
