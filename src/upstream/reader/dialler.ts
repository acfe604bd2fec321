import { once } from 'node:events';
import { isIP } from 'node:net';
import { checkServerIdentity, type ConnectionOptions, type SecureContext } from 'node:tls';
import type { Destination } from '../connections/address-guard.ts';
import { dial, type DialOptions } from '../connections/dial.ts';
import { portOf, type Network } from '../connections/network.ts';
import { ByContext } from '../connections/trust.ts';
import { ReaderConnection } from './connection.ts';

export interface DiallerOptions extends DialOptions {
  readonly network: Pick<Network, 'connect'>;
}

/** Most TLS sessions that are kept. */
const MAX_SESSIONS = 100;

/** Opens the reader's connections. */
export class Dialler {
  readonly #options: DiallerOptions;
  /** The last TLS session with each host: a new connection that takes it up needs fewer round trips. */
  readonly #sessions = new ByContext(() => new Map<string, Buffer>());

  constructor(options: DiallerOptions) {
    this.#options = options;
  }

  /** Opens a connection. @param signal ends it while it is being established @throws see `dial` */
  dial(target: Destination, signal: AbortSignal): Promise<ReaderConnection> {
    const ending = AbortSignal.any([this.#options.ending, signal]);
    return dial({ ...this.#options, ending }, target, (addresses, context) => {
      const tls = context && this.#tls(target.hostname, context);
      const connection = new ReaderConnection((onread) =>
        this.#options.network.connect(addresses, portOf(target), { onread, tls }),
      );
      const { socket } = connection;
      socket.setKeepAlive(true, 60_000);
      if (context !== undefined) this.#keepSessions(connection, target.hostname, context);
      const connected = once(socket, context === undefined ? 'connect' : 'secureConnect');
      return { socket, connected: connected.then(() => connection) };
    });
  }

  #tls(hostname: string, secureContext: SecureContext): ConnectionOptions {
    const session = this.#sessions.get(secureContext).get(hostname);
    return {
      secureContext,
      ALPNProtocols: ['http/1.1'],
      // A literal address is no server name (RFC 6066 §3); its certificate is checked all the same.
      servername: isIP(bare(hostname)) === 0 ? hostname : '',
      checkServerIdentity: (_name, certificate) => checkServerIdentity(bare(hostname), certificate),
      ...(session !== undefined && { session }),
    };
  }

  #keepSessions({ socket }: ReaderConnection, hostname: string, context: SecureContext): void {
    const sessions = this.#sessions.get(context);
    socket.on('session', (session: Buffer) => {
      const [oldest] = sessions.keys();
      if (sessions.size >= MAX_SESSIONS && oldest !== undefined) sessions.delete(oldest);
      sessions.set(hostname, session);
    });
  }
}

function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
