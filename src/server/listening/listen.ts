import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';
import { admitConnections } from './admit.ts';
import type { App } from '../app.ts';
import { bind, type BoundAddress, type ServerAddress } from './bind.ts';
import { Connections, type ConnectionLimits } from './connections.ts';
import { untilPullsEnd } from './drain.ts';
import { Mishaps } from '../mishaps.ts';
import { peerNaming } from '../request/peer.ts';
import type { RequestRecord, RequestRecords } from '../request/request-record.ts';
import type { TrustedProxies } from '../request/trusted-proxies.ts';
import { CertificateWatch, type TlsFiles } from '../tls/certificate-watch.ts';
import { connectionOf, createTlsServer } from '../tls/tls-server.ts';

export interface ListenOptions {
  readonly app: App;
  readonly records: RequestRecords;
  readonly proxies: TrustedProxies;
  readonly clock: Clock;
  readonly events: Events;
  readonly address: ServerAddress;
  /** Undefined: the server speaks http. */
  readonly tls: TlsFiles | undefined;
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
/** Connections that may ask for health only. */
const RESERVE = 16;

/**
 * Four times Node's default: podman names up to 1,024 ranges of a layer in one header, each of up to 23 characters if
 * the layer is large.
 */
const MAX_HEADER_BYTES = 64 * 1024;
/** Longer than load balancers keep idle connections, so that the load balancer closes them. */
const KEEP_ALIVE_MS = 75_000;

export interface Listening {
  readonly address: BoundAddress;
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

/**
 * @throws the system's error if the address cannot be listened on (EADDRINUSE, EACCES); the error of `tls` if its files
 * cannot be used
 */
export async function listen(options: ListenOptions): Promise<Listening> {
  const { app, records, proxies, clock, events, address, limits } = options;
  const mishaps = new Mishaps(events);
  const connections = new Connections<Socket>({ ...limits, reserve: RESERVE });
  const peerOf = peerNaming('path' in address);
  let isDraining = false;
  const transport = await createTransport(options, (incoming, outgoing) => {
    const { socket } = incoming;
    const connection = connectionOf(socket);
    // Node still reads the requests that a destroyed connection had sent before.
    if (socket.destroyed) return;
    if (connections.begun(connection) > MAX_PIPELINED) return void socket.destroy();
    let record: RequestRecord | undefined;
    try {
      record = records.begin(incoming, outgoing, peerOf(socket), (over) => {
        connections.ended(connection);
        // A connection that was busy when the drain began is idle now, and would be kept alive.
        if (isDraining) transport.server.closeIdleConnections();
        mishaps.guard('end a request', () => app.release(over));
      });
      const mayAsk = connections.useOf(connection) ?? 'all';
      if (isDraining || mayAsk === 'health') outgoing.setHeader('Connection', 'close');
      app.handle(incoming, outgoing, record, mayAsk);
    } catch (error) {
      mishaps.answer(error, outgoing, record);
    }
  });
  const { server } = transport;
  server.on('connect', (_incoming, socket) => refuseTunnel(socket));
  admitConnections(server, { connections, mishaps, proxies, clock, peerOf });
  const bound = await bind(server, address);
  transport.start();
  return {
    address: bound.address,
    get connections() {
      return connections.size;
    },
    async drain(limitMs, delayMs = 0) {
      app.beNotReady();
      const isServing = (): boolean => app.serving > 0;
      const leftMs = delayMs > 0 ? await untilPullsEnd(clock, isServing, { delayMs, limitMs }) : limitMs;
      isDraining = true;
      // The limit counts from now on, however long the rest takes.
      const closing = closeServer(server, connections, clock, leftMs);
      await Promise.all([bound.release(), transport.stop()]);
      return closing;
    },
  };
}

/** The server below HTTP: by TLS or without. */
interface Transport {
  readonly server: Server;
  /** Begins to look whether the certificate has changed. */
  start(): void;
  /** Ends that, and cuts handshakes. The caller closes the server. */
  stop(): Promise<void>;
}

async function createTransport(
  { tls, limits, clock, events }: ListenOptions,
  handle: RequestListener,
): Promise<Transport> {
  if (tls === undefined) {
    return { server: createServer(serverOptions(limits), handle), start() {}, stop: () => Promise.resolve() };
  }
  const material = await tls.read();
  const secure = createTlsServer(material, serverOptions(limits), handle);
  const watch = new CertificateWatch(tls, material, { clock, events });
  return {
    server: secure.server,
    start: () => watch.start((renewed) => secure.use(renewed)),
    async stop() {
      await watch.close();
      secure.cutHandshakes();
    },
  };
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
