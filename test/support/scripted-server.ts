import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { untilClosed, type Delivery, type Incoming, type Reply } from './scripted-reply.ts';

/** A request that a server got, with its answer. */
export interface Hit extends Incoming {
  /** The status of the answer; absent if the connection was reset, or while nothing is sent. */
  status?: number;
  /** Bytes of body handed to the socket. */
  bytesSent: number;
  /** Whether the whole answer was sent. */
  complete: boolean;
  /** Whether the answer is over, whole or not. */
  closed: boolean;
}

export interface ServerOptions {
  /** Key and certificate, PEM, of an https server. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** A listening server on a free loopback port. Disposing of it cuts open connections. */
export interface RunningServer extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:port`; https names the certificate's first use, `localhost`. */
  readonly url: URL;
  readonly hits: readonly Hit[];
  /** Cuts the open connections, so that the next request comes by a new one. */
  closeConnections(): void;
  close(): Promise<void>;
}

const CHUNK = 64 * 1024;

/** Starts a server that answers each request with the reply that `respond` makes, faults included. */
export async function startServer(
  respond: (incoming: Incoming) => Reply | Promise<Reply>,
  options: ServerOptions = {},
): Promise<RunningServer> {
  const hits: Hit[] = [];
  const closing = new AbortController();
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    handle(request, response, respond, hits, closing.signal).catch((error: unknown) => {
      response.destroy(error as Error);
    });
  };
  const server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    if (closing.signal.aborted) return;
    closing.abort();
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return {
    port,
    url: new URL(options.tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`),
    hits,
    closeConnections: () => server.closeAllConnections(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  respond: (incoming: Incoming) => Reply | Promise<Reply>,
  hits: Hit[],
  closing: AbortSignal,
): Promise<void> {
  response.on('error', () => response.destroy());
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const incoming = await read(request);
  const hit: Hit = { ...incoming, bytesSent: 0, complete: false, closed: gone.signal.aborted };
  gone.signal.addEventListener('abort', () => {
    hit.closed = true;
  });
  hits.push(hit);
  await deliver(await respond(incoming), request, response, hit, AbortSignal.any([closing, gone.signal]));
}

async function read(request: IncomingMessage): Promise<Incoming> {
  // The raw text, since `new URL` would normalise what the test wants to see.
  const [path = '/', query = ''] = (request.url ?? '/').split(/\?(.*)/s, 2);
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return {
    method: request.method ?? 'GET',
    path: decodeURIComponent(path),
    query: new URLSearchParams(query),
    target: request.url ?? '',
    headers: request.headers,
    body: Buffer.concat(parts).toString(),
  };
}

async function deliver(
  reply: Reply,
  request: IncomingMessage,
  response: ServerResponse,
  hit: Hit,
  closed: AbortSignal,
): Promise<void> {
  const delivery = reply.delivery ?? {};
  await delivery.headersGate?.pass(0, closed);
  if (closed.aborted) return;
  if (delivery.reset === true) {
    request.socket.resetAndDestroy();
    return;
  }
  response.writeHead(reply.status, headersOf(reply) as Record<string, string | string[]>);
  response.flushHeaders();
  hit.status = reply.status;
  const whole = request.method === 'HEAD' || (await sendBody(reply.body, delivery, response, hit, closed));
  if (!whole || closed.aborted) {
    response.destroy();
    return;
  }
  response.end(() => {
    hit.complete = true;
  });
}

function headersOf(reply: Reply): Reply['headers'] {
  const bodiless = reply.status === 204 || reply.status === 304;
  if (reply.chunked === true || bodiless || 'content-length' in reply.headers) return reply.headers;
  return { ...reply.headers, 'content-length': String(reply.body.length) };
}

/** Sends the body. @returns whether all of it was sent */
async function sendBody(
  body: Uint8Array,
  delivery: Delivery,
  response: ServerResponse,
  hit: Hit,
  closed: AbortSignal,
): Promise<boolean> {
  const end = Math.min(body.length, delivery.cutAt ?? body.length);
  let position = 0;
  while (position < end) {
    await delivery.bodyGate?.pass(position, closed);
    if (closed.aborted) return false;
    const allowed = delivery.bodyGate?.allowed ?? end;
    const next = Math.min(end, position + CHUNK, allowed);
    const chunk = body.subarray(position, next);
    await untilClosed(new Promise((resolve) => response.write(chunk, () => resolve())), closed);
    position = next;
    hit.bytesSent = position;
  }
  return delivery.cutAt === undefined;
}
