import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { createServer, type TLSSocket } from 'node:tls';

/** A proxy that ends TLS before a server on this machine. */
export interface TlsFront extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
}

/** Starts the proxy. @param port the server's, at the loopback address */
export async function tlsFront(
  certificate: { readonly key: string; readonly cert: string },
  port: number,
): Promise<TlsFront> {
  const sockets = new Set<TLSSocket>();
  const server = createServer(certificate, (client) => {
    sockets.add(client);
    const behind = connect(port, '127.0.0.1');
    // If either side breaks the connection off, both end; that fails no test.
    pipeline(client, behind, client).catch(() => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
