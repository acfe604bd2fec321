import { once } from 'node:events';
import { createServer, type Server, type ServerOptions } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { App } from './app.ts';
import { untilPullsEnd } from './drain.ts';
import { clientKey } from './request/client-key.ts';
import { Connections, type ConnectionLimits } from './connections.ts';
import { Mishaps } from './mishaps.ts';
import type { RequestRecord, RequestRecords } from './request/request-record.ts';
import type { TrustedProxies } from './request/trusted-proxies.ts';

export interface ListenOptions {
  readonly app: App;
  readonly records: RequestRecords;
  readonly proxies: TrustedProxies;
  readonly clock: Clock;
  readonly events: Events;
  /** Undefined: every interface. */
  readonly host: string | undefined;
  /** 0: any free port. */
  readonly port: number;
  readonly limits: ListenLimits;
}

interface ListenLimits extends Omit<ConnectionLimits, 'reserve'> {
  /** The longest that a client may take to send its request, milliseconds. */
  readonly headerTimeoutMs: number;
}

/**
 * Requests that a connection may send before the first of them is answered. Node reads all requests that have arrived,
 * and keeps each answer in memory until the answers before it are sent. No registry client sends even two.
 */
const MAX_PIPELINED = 16;
/** Connections that may ask for health only, and how long each may be open, milliseconds. */
const RESERVE = 16;
const RESERVE_MS = 2_000;

/**
 * Four times Node's default: podman names up to 1,024 ranges of a layer in one header, each of up to 23 characters if
 * the layer is large.
 */
const MAX_HEADER_BYTES = 64 * 1024;
/** Longer than load balancers keep idle connections, so that the load balancer closes them. */
const KEEP_ALIVE_MS = 75_000;

export interface Listening {
  readonly host: string;
  readonly port: number;
  /** Number of open connections. */
  readonly connections: number;
  /**
   * Says that the server is not ready, but serves on for `delayMs` milliseconds and while pulls are under way
   * (`untilPullsEnd`): a pull opens a connection for its next layer, and a load balancer takes a moment to notice. Then
   * stops accepting, lets running requests finish, and cuts what is left when `delayMs` and `limitMs` are over. Without
   * a delay it stops accepting at once.
   * @returns how many connections were cut
   */
  drain(limitMs: number, delayMs?: number): Promise<number>;
}

/** @throws the system's error if the address cannot be listened on (EADDRINUSE, EACCES) */
export async function listen(options: ListenOptions): Promise<Listening> {
  const { app, records, clock, events, host, port, limits } = options;
  const mishaps = new Mishaps(events);
  const connections = new Connections<Socket>({ ...limits, reserve: RESERVE });
  let isDraining = false;
  const server = createServer(serverOptions(limits), (incoming, outgoing) => {
    const { socket } = incoming;
    // Node still reads the requests that a destroyed connection had sent before.
    if (socket.destroyed) return;
    if (connections.begun(socket) > MAX_PIPELINED) return void socket.destroy();
    let record: RequestRecord | undefined;
    try {
      record = records.begin(incoming, outgoing, (over) => {
        connections.ended(socket);
        // A connection that was busy when the drain began is idle now, and would be kept alive.
        if (isDraining) server.closeIdleConnections();
        mishaps.guard('end a request', () => app.release(over));
      });
      const mayAsk = connections.useOf(socket) ?? 'all';
      if (isDraining || mayAsk === 'health') outgoing.setHeader('Connection', 'close');
      app.handle(incoming, outgoing, record, mayAsk);
    } catch (error) {
      mishaps.answer(error, outgoing, record);
    }
  });
  server.on('connect', (_incoming, socket) => refuseTunnel(socket));
  admitConnections(server, connections, mishaps, options);
  server.listen({ port, host });
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    host: address.address,
    port: address.port,
    get connections() {
      return connections.size;
    },
    async drain(limitMs, delayMs = 0) {
      app.beNotReady();
      const isServing = (): boolean => app.serving > 0;
      const leftMs = delayMs > 0 ? await untilPullsEnd(clock, isServing, { delayMs, limitMs }) : limitMs;
      isDraining = true;
      return closeServer(server, connections, clock, leftMs);
    },
  };
}

/** Gives each new connection a place, and closes the connection whose place it takes. */
function admitConnections(
  server: Server,
  connections: Connections<Socket>,
  mishaps: Mishaps,
  { proxies, clock }: Pick<ListenOptions, 'proxies' | 'clock'>,
): void {
  let proxied = 0;
  const admit = (socket: Socket): void => {
    const address = socket.remoteAddress ?? '';
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

async function closeServer(
  server: Server,
  connections: Connections<Socket>,
  clock: Clock,
  limitMs: number,
): Promise<number> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  let cut = 0;
  const cancel = clock.after(limitMs, () => {
    cut = connections.size;
    server.closeAllConnections();
  });
  await closed;
  cancel();
  return cut;
}

function serverOptions({ headerTimeoutMs }: ListenLimits): ServerOptions {
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

/** Refuses CONNECT, for which Node makes no response; without a listener, Node closes the connection. */
function refuseTunnel(socket: Duplex): void {
  socket.on('error', () => undefined);
  socket.end(NO_TUNNEL, () => socket.destroy());
}
