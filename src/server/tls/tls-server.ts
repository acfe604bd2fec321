import type { RequestListener, ServerOptions } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import type { TlsMaterial } from './certificate-watch.ts';

/** A server that speaks https. */
export interface TlsServer {
  readonly server: Server;
  /** Makes new connections use another certificate. @throws Error if it cannot be used; then nothing has changed */
  use(material: TlsMaterial): void;
  /** Cuts the connections whose handshake is not over. They carry no request, but `server.close` waits for them. */
  cutHandshakes(): void;
}

/**
 * Makes a server that speaks HTTP/1.1 by TLS. A client whose handshake fails or takes longer than `headersTimeout` is
 * cut, and nothing is written about it: scanners would fill the log.
 */
export function createTlsServer(
  material: TlsMaterial,
  options: ServerOptions,
  handle: RequestListener,
): TlsServer {
  const needsCertificate = material.clientCa !== undefined;
  const server = createServer(
    {
      ...options,
      ...contextOf(material),
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: options.headersTimeout ?? 0,
      requestCert: needsCertificate,
      rejectUnauthorized: needsCertificate,
    },
    handle,
  );
  const shaking = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    shaking.add(socket);
    socket.once('close', () => shaking.delete(socket));
  });
  server.on('secureConnection', (socket) => shaking.delete(connectionOf(socket)));
  return {
    server,
    use: (renewed) => server.setSecureContext(contextOf(renewed)),
    cutHandshakes() {
      for (const socket of shaking) socket.destroy();
    },
  };
}

/** Returns the connection that a socket's bytes come by: that below TLS, or the socket itself. */
export function connectionOf(socket: Socket): Socket {
  // Node shows the one below TLS in no documented way.
  return (socket as { _parent?: Socket | null })._parent ?? socket;
}

function contextOf({ cert, key, clientCa }: TlsMaterial): SecureContextOptions {
  return { cert, key, ...(clientCa === undefined ? {} : { ca: clientCa }), minVersion: 'TLSv1.2' };
}
