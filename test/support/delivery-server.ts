import { once } from 'node:events';
import {
  type Agent,
  createServer,
  get,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import type { Deliver, Delivered } from '../../src/delivery/deliver.ts';
import type { BlobReader } from '../../src/store/blob-store.ts';
import type { ScriptedReader } from './scripted-reader.ts';

export interface Delivery {
  readonly deliver: Deliver;
  readonly reader: BlobReader;
  readonly start?: number;
  /** Absent: the blob's end, sent with chunked coding. */
  readonly end?: number | undefined;
}

export interface Served {
  readonly port: number;
  readonly server: Server;
  /** The result of the delivery. */
  readonly delivered: Promise<Delivered>;
  readonly response: Promise<ServerResponse>;
}

/** Starts a server that answers every request by one delivery. */
export async function serve({ deliver, reader, start = 0, end }: Delivery): Promise<Served> {
  const delivered = Promise.withResolvers<Delivered>();
  const response = Promise.withResolvers<ServerResponse>();
  const server = createServer((_, outgoing) => {
    response.resolve(outgoing);
    outgoing.writeHead(200, end === undefined ? {} : { 'content-length': end - start });
    deliver(reader, start, end, outgoing).then(delivered.resolve, delivered.reject);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, server, delivered: delivered.promise, response: response.promise };
}

export async function open(port: number, agent: Agent | false = false): Promise<IncomingMessage> {
  const [incoming] = (await once(get({ port, host: '127.0.0.1', agent }), 'response')) as [IncomingMessage];
  return incoming;
}

export interface Received {
  readonly body: Buffer;
  /** Whether a client would take the body for the whole. */
  readonly complete: boolean;
}

export async function receive(incoming: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
  } catch {
    // A cut answer shows as `complete: false`.
  }
  return { body: Buffer.concat(chunks), complete: incoming.complete };
}

/** Result of a connection that was cut before the headers. */
const NOTHING: Received = { body: Buffer.alloc(0), complete: false };

export async function pull(delivery: Delivery): Promise<Received & { readonly delivered: Delivered }> {
  const { port, delivered } = await serve(delivery);
  const received = await open(port).then(receive, () => NOTHING);
  return { ...received, delivered: await delivered };
}

/** Sends a request and reads nothing of the answer. */
export async function ask(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  return socket;
}

/** Waits until the delivery reads no more: the kernel has then taken all that fits without a reading client. */
export async function untilStill(reader: ScriptedReader): Promise<void> {
  let before = -1;
  await expect
    .poll(
      () => {
        const isStill = reader.furthest === before && before > 0;
        before = reader.furthest;
        return isStill;
      },
      { interval: 200, timeout: 10_000 },
    )
    .toBe(true);
}
