import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { Credentials } from '../../src/upstream/credentials/credentials.ts';
import type { ProxyFor } from '../../src/upstream/connections/proxy.ts';
import { connect, type AddressInfo, type Socket } from 'node:net';

/** Sends all requests through this proxy. */
export function through(url: URL, account?: Credentials): ProxyFor {
  const credentials = { get: () => Promise.resolve(account), invalidate: () => undefined };
  return () => ({ url, credentials });
}

/** A forward proxy: tunnels by CONNECT for https, absolute requests for http. */
export interface ForwardProxy extends AsyncDisposable {
  readonly url: URL;
  /** `CONNECT host:port` or `GET http://host:port/path`, with the credentials for the proxy, if sent. */
  readonly log: readonly string[];
}

/**
 * Starts a proxy on a free loopback port. For every host it connects to this machine's loopback, at the requested port,
 * so that names need not resolve.
 * @param wanted the password that its clients need, under any name; absent: none
 */
export async function startForwardProxy(wanted: { password?: string } = {}): Promise<ForwardProxy> {
  const log: string[] = [];
  const sockets = new Set<Socket>();
  const note = (incoming: IncomingMessage): void => {
    const credentials = incoming.headers['proxy-authorization'];
    log.push(`${incoming.method} ${incoming.url}${credentials === undefined ? '' : ` ${credentials}`}`);
  };
  const server = createServer((incoming, outgoing) => {
    note(incoming);
    if (!isAdmitted(incoming, wanted.password)) {
      outgoing.writeHead(407).end();
      return;
    }
    const { port, pathname, search } = new URL(incoming.url ?? '');
    const { method } = incoming;
    const { 'proxy-authorization': _, ...headers } = incoming.headers;
    const forwarded = request(
      { host: '127.0.0.1', port, path: pathname + search, method, headers, maxHeaderSize: 1024 * 1024 },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  server.on('connect', (incoming, client: Socket) => {
    note(incoming);
    if (!isAdmitted(incoming, wanted.password)) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const target = connect({ host: '127.0.0.1', port: Number(incoming.url?.split(':').at(-1)) }, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(target).pipe(client);
    });
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    log,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function isAdmitted({ headers }: IncomingMessage, password: string | undefined): boolean {
  const [, encoded = ''] = /^Basic (.*)$/.exec(headers['proxy-authorization'] ?? '') ?? [];
  return password === undefined || Buffer.from(encoded, 'base64').toString().endsWith(`:${password}`);
}
