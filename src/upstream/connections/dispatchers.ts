import type { SecureContext } from 'node:tls';
import { Agent, errors, Pool, ProxyAgent, type buildConnector, type Dispatcher } from 'undici';
import type { Clock } from '../../clock.ts';
import type { AddressGuard } from './address-guard.ts';
import { createConnector } from './connector.ts';
import type { Network } from './network.ts';
import { proxyAuthorization } from './proxy.ts';
import type { UpstreamSettings } from '../settings.ts';
import { MAX_HEAD_BYTES, tidyHeads } from './tidy-heads.ts';
import type { Trust } from './trust.ts';

export interface DispatchersOptions {
  readonly settings: UpstreamSettings;
  readonly clock: Clock;
  readonly network: Network;
  readonly guard: AddressGuard;
  readonly trust: Trust;
  /** Whether connections are kept for later requests; if not, each request opens one of its own. */
  readonly keepsConnections: boolean;
}

/** The dispatcher for one proxy, used until the trusted certificates or the proxy's account change. */
interface Proxied {
  readonly dispatcher: Dispatcher;
  /** Number of requests that use it and have no answer yet. */
  uses: number;
  isRetired: boolean;
  readonly context: SecureContext;
  readonly authorization: string | undefined;
}

/** undici's dispatchers of one upstream: a pool of connections for each host, direct or through a proxy. */
export class Dispatchers {
  readonly #options: DispatchersOptions;
  readonly #direct: Dispatcher;
  /** By the proxy's URL. */
  readonly #proxied = new Map<string, Proxied>();
  /** All dispatchers that may still have connections. */
  readonly #open = new Set<Dispatcher>();
  readonly #ending = new AbortController();

  constructor(options: DispatchersOptions) {
    this.#options = options;
    const { trust, guard, network, clock, settings } = options;
    const { connectMs } = settings.timeouts;
    const connect = createConnector({ trust, connectMs, guard, network, clock, ending: this.#ending.signal });
    this.#direct = this.#opened(new Agent({ ...this.#shared(), connect }));
  }

  /**
   * Sends a request to `target`. The dispatcher stays open until the answer has begun, even if another one takes its
   * place meanwhile: a closed dispatcher refuses new requests, and requests that wait in it for a connection through a
   * proxy.
   * @throws CredentialError if the account at the proxy cannot be read
   */
  async use<T>(target: URL, send: (dispatcher: Dispatcher) => Promise<T>): Promise<T> {
    const proxy = this.#options.settings.proxyFor?.(target);
    if (proxy === undefined) return send(this.#direct);
    const [context, authorization] = await Promise.all([
      this.#options.trust.context(),
      proxyAuthorization(proxy),
    ]);
    const proxied = this.#through(proxy.url, context, authorization);
    proxied.uses += 1;
    try {
      return await send(proxied.dispatcher);
    } finally {
      proxied.uses -= 1;
      this.#closeUnused(proxied);
    }
  }

  /** Closes all connections; requests that still run fail. */
  async close(): Promise<void> {
    this.#ending.abort(new errors.ClientDestroyedError());
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
      // Signed URLs, policies and cookies make long heads; Node's own limit is 16 KiB.
      maxHeaderSize: MAX_HEAD_BYTES,
      connectTimeout: settings.timeouts.connectMs,
      connections: settings.connections ?? null,
      pipelining: keepsConnections ? 1 : 0,
    };
  }

  #proxyAgent(url: URL, secureContext: SecureContext, authorization: string | undefined): Dispatcher {
    const tls = { secureContext };
    const shared = this.#shared();
    const factory = (origin: URL, { connect, ...options }: Pool.Options): Pool =>
      new Pool(origin, { ...shared, ...options, connect: tidied(connect as buildConnector.connector) });
    const account = authorization === undefined ? {} : { token: authorization };
    return new ProxyAgent({ ...shared, uri: url.href, ...account, requestTls: tls, proxyTls: tls, factory });
  }

  #opened(dispatcher: Dispatcher): Dispatcher {
    this.#open.add(dispatcher);
    return dispatcher;
  }

  #through(url: URL, context: SecureContext, authorization: string | undefined): Proxied {
    const known = this.#proxied.get(url.href);
    if (known?.context === context && known.authorization === authorization) return known;
    const dispatcher = this.#opened(this.#proxyAgent(url, context, authorization));
    const proxied: Proxied = { dispatcher, uses: 0, isRetired: false, context, authorization };
    this.#proxied.set(url.href, proxied);
    if (known !== undefined) {
      known.isRetired = true;
      this.#closeUnused(known);
    }
    return proxied;
  }

  /** Closes a retired dispatcher once no request waits for an answer. Bodies that arrive through it may still end. */
  #closeUnused({ dispatcher, uses, isRetired }: Proxied): void {
    if (!isRetired || uses > 0) return;
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
