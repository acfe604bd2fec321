import type { SecureContext } from 'node:tls';
import { Agent, Pool, ProxyAgent, type buildConnector, type Dispatcher } from 'undici';
import type { Clock } from '../clock.ts';
import type { AddressGuard } from './address-guard.ts';
import { createConnector } from './connector.ts';
import type { Network } from './network.ts';
import type { UpstreamSettings } from './settings.ts';
import { MAX_HEAD_BYTES, tidyHeads } from './tidy-heads.ts';
import { ByContext, type Trust } from './trust.ts';

export interface DispatchersOptions {
  readonly settings: UpstreamSettings;
  readonly clock: Clock;
  readonly network: Network;
  readonly guard: AddressGuard;
  readonly trust: Trust;
  /** False: every request gets a connection of its own. */
  readonly keepsConnections: boolean;
}

/** undici's dispatchers of one upstream: a pool of connections for each host, straight or through the proxy. */
export class Dispatchers {
  readonly #options: DispatchersOptions;
  readonly #direct: Dispatcher;
  readonly #proxied: ByContext<Dispatcher>;
  /** All that were made and may still have connections. */
  readonly #open = new Set<Dispatcher>();

  constructor(options: DispatchersOptions) {
    this.#options = options;
    const { trust, guard, network, clock, settings } = options;
    const { connectMs } = settings.timeouts;
    const connect = createConnector({ trust, connectMs, guard, network, clock });
    this.#direct = this.#opened(new Agent({ ...this.#shared(), connect }));
    this.#proxied = new ByContext((context) => this.#proxyAgent(context));
  }

  /** For a request that is to be sent now. */
  async get(): Promise<Dispatcher> {
    const { settings, trust } = this.#options;
    return settings.proxy === undefined ? this.#direct : this.#proxied.get(await trust.context());
  }

  /** Closes all connections; what still runs fails. */
  async close(): Promise<void> {
    await Promise.all([...this.#open].map((dispatcher) => dispatcher.destroy()));
  }

  #shared(): Agent.Options {
    const { settings, keepsConnections } = this.#options;
    return {
      // Blobs are long downloads, often several at once. HTTP/2 would put them all on one connection, where they
      // share one window and one loss stops them all; HTTP/1.1 gives each its own.
      allowH2: false,
      // Deadlines are Larder's own, by its clock.
      headersTimeout: 0,
      bodyTimeout: 0,
      // Signed URLs, policies and cookies make long ones; Node's own limit is 16 KiB.
      maxHeaderSize: MAX_HEAD_BYTES,
      connectTimeout: settings.timeouts.connectMs,
      connections: settings.connections ?? null,
      pipelining: keepsConnections ? 1 : 0,
    };
  }

  /** What goes through its predecessor may end there. */
  #proxyAgent(secureContext: SecureContext): Dispatcher {
    for (const former of this.#open) if (former !== this.#direct) this.#retire(former);
    const uri = this.#options.settings.proxy?.href ?? '';
    const tls = { secureContext };
    const shared = this.#shared();
    const factory = (origin: URL, { connect, ...options }: Pool.Options): Pool =>
      new Pool(origin, { ...shared, ...options, connect: tidied(connect as buildConnector.connector) });
    const options = { ...shared, uri, requestTls: tls, proxyTls: tls, factory };
    return this.#opened(new ProxyAgent(options));
  }

  #opened(dispatcher: Dispatcher): Dispatcher {
    this.#open.add(dispatcher);
    return dispatcher;
  }

  #retire(dispatcher: Dispatcher): void {
    const forget = (): boolean => this.#open.delete(dispatcher);
    dispatcher.close().then(forget, forget);
  }
}

function tidied(connect: buildConnector.connector): buildConnector.connector {
  return (target, callback) =>
    connect(target, (error, socket) => {
      if (error === null) callback(null, tidyHeads(socket));
      else callback(error, null);
    });
}
