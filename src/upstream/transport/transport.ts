import type { Dispatcher } from 'undici';
import type { Clock } from '../../clock.ts';
import type { Events } from '../../events.ts';
import { abortable } from '../../async/abortable.ts';
import { AddressGuard, ForbiddenAddressError } from '../connections/address-guard.ts';
import type { ResponseHeaders } from './headers.ts';
import { LargeAnswers } from './large-answers.ts';
import { ResponseBody, type RawBody } from './bodies/response-body.ts';
import { LargeBodies } from './bodies/large-bodies.ts';
import { UpstreamResponse } from './response.ts';
import { CredentialError } from '../credentials/credentials.ts';
import { classifyNetworkError } from './classify.ts';
import { ConnectionsInUse, noting, type ConnectionUse } from '../connections/connections-in-use.ts';
import { Dispatchers } from '../connections/dispatchers.ts';
import { UpstreamError } from '../error.ts';
import type { Network } from '../connections/network.ts';
import type { Passage } from './passage.ts';
import { proxyRefusal } from '../connections/proxy.ts';
import type { UpstreamSettings } from '../settings.ts';
import { StaleConnections } from '../connections/stale-connections.ts';
import { Trust, type MakeContext } from '../connections/trust.ts';
import { UndiciBody } from './bodies/undici-body.ts';

/** One request to one host. */
export interface HopRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: URL;
  /** Path and query as they are sent; normalised, they equal the URL's. Absent: the URL's own. */
  readonly target?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** The repository that the request is about; used if the URL itself names none. */
  readonly repository?: string | undefined;
  /** Whether a large body is expected: then the reader for those is tried first. */
  readonly isLarge?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An answer as it comes from the wire. */
interface RawAnswer {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly body: RawBody;
}

/** A request under way. */
interface Course {
  /** Ends the request, also while its answer is read. */
  readonly signal: AbortSignal;
  readonly use: ConnectionUse;
  /** Called when the answer is over, whole or not. May be called more than once. */
  readonly forget: () => void;
}

/** Sends one request and returns its answer, whatever its status; does not follow redirects. */
export type Send = (hop: HopRequest) => Promise<UpstreamResponse>;

export interface TransportDeps {
  readonly clock: Clock;
  readonly events: Events;
  readonly network: Network;
  /** Absent: contexts that trust the system's certificates. */
  readonly makeContext?: MakeContext | undefined;
  readonly passage?: Pick<Passage, 'via'> | undefined;
  /** Absent: the transport has a counter of its own. */
  readonly connections?: ConnectionsInUse | undefined;
  /** Absent: the transport has a counter of its own. */
  readonly large?: LargeBodies | undefined;
}

/** All connections of one upstream: to the registry, to its token endpoint and to the hosts that these redirect to. */
export class Transport {
  readonly #settings: UpstreamSettings;
  readonly #clock: Clock;
  readonly #guard: AddressGuard;
  readonly #dispatchers: Dispatchers;
  /** Opens a connection of its own for each request. */
  readonly #fresh: Dispatchers;
  readonly #largeAnswers: LargeAnswers;
  readonly #passage: TransportDeps['passage'];
  readonly #staleConnections = new StaleConnections();
  readonly #largeBodies: LargeBodies;
  readonly #connections: ConnectionsInUse;

  constructor(settings: UpstreamSettings, deps: TransportDeps) {
    this.#settings = settings;
    this.#connections = deps.connections ?? new ConnectionsInUse(settings.connections);
    this.#largeBodies = deps.large ?? new LargeBodies();
    this.#clock = deps.clock;
    this.#passage = deps.passage;
    this.#guard = new AddressGuard({
      upstream: settings.url,
      allowPrivate: settings.allowPrivateNetworks ?? false,
      network: deps.network,
    });
    const { name: upstream, ca, caFile } = settings;
    const trust = new Trust({ upstream, ca, caFile, ...deps });
    const shared = { settings, guard: this.#guard, trust, ...deps };
    this.#dispatchers = new Dispatchers({ ...shared, keepsConnections: true });
    this.#fresh = new Dispatchers({ ...shared, keepsConnections: false });
    this.#largeAnswers = new LargeAnswers({ ...shared, connectMs: settings.timeouts.connectMs });
  }

  /** Sends one request. @throws UpstreamError `unavailable` if no answer came */
  async send(hop: HopRequest): Promise<UpstreamResponse> {
    const abort = new AbortController();
    const cancelled = (): void => abort.abort(this.#error('cancelled', 'the request was given up'));
    const { connectMs, headersMs, bodyMs } = this.#settings.timeouts;
    const dueAt = this.#clock.monotonic() + connectMs + headersMs;
    const use = this.#connections.request(hop.url.origin);
    const cancelDeadline = this.#clock.after(connectMs + headersMs, () => {
      abort.abort(this.#late(use, hop.url.host, connectMs + headersMs));
    });
    if (hop.signal?.aborted === true) cancelled();
    hop.signal?.addEventListener('abort', cancelled, { once: true });
    const forget = (): void => {
      use.end();
      hop.signal?.removeEventListener('abort', cancelled);
    };
    try {
      this.#guard.admitLiteral(hop.url);
      if (use.hasFoundNone) await abortable(use.take(), abort.signal);
      const course = { signal: abort.signal, use, forget };
      const { status, headers, body } = (await this.#large(hop, course)) ?? (await this.#usual(hop, course));
      const options = {
        upstream: this.#settings.name,
        clock: this.#clock,
        bodyMs,
        dueAt,
        large: this.#largeBodies,
      };
      return new UpstreamResponse(hop.url, status, headers, new ResponseBody(body, options));
    } catch (error) {
      forget();
      throw this.#classified(error, hop.url.host);
    } finally {
      cancelDeadline();
    }
  }

  /** Closes all connections; requests that still run fail. */
  async close(): Promise<void> {
    this.#staleConnections.close();
    this.#largeAnswers.close();
    await Promise.all([this.#dispatchers.close(), this.#fresh.close()]);
  }

  /** Gets the answer by the reader for large bodies; undefined if undici has to send the request. */
  async #large(hop: HopRequest, { signal, use, forget }: Course): Promise<RawAnswer | undefined> {
    const isLarge = hop.method === 'GET' && hop.isLarge === true;
    if (!isLarge || this.#settings.proxyFor?.(hop.url) !== undefined) return undefined;
    use.begin();
    const request = { url: hop.url, target: targetOf(hop), headers: this.#headers(hop), signal };
    const answer = await abortable(this.#largeAnswers.get(request), signal);
    if (answer === undefined) return undefined;
    void answer.over.then(forget);
    const { head, body } = answer;
    return { status: head.status, headers: head.headers, body };
  }

  /** Gets the answer by undici. */
  async #usual(hop: HopRequest, { signal, use, forget }: Course): Promise<RawAnswer> {
    const { statusCode, headers, body } = await this.#request(hop, signal, use);
    body.once('close', forget);
    return { status: statusCode, headers, body: new UndiciBody(body) };
  }

  /**
   * Sends the request, and once more if a kept connection turned out to be closed. The second try opens a new
   * connection, since another kept one may be closed, too.
   */
  async #request(hop: HopRequest, signal: AbortSignal, use: ConnectionUse): Promise<Dispatcher.ResponseData> {
    try {
      return await this.#dispatch(this.#dispatchers, hop, signal, use);
    } catch (error) {
      const isRepeatable = hop.method !== 'POST' && !signal.aborted;
      const isLost = classifyNetworkError(error).reason === 'reset';
      if (!isRepeatable || !isLost || !this.#staleConnections.hasCaused(error)) throw error;
      return this.#dispatch(this.#fresh, hop, signal, use);
    }
  }

  async #dispatch(
    dispatchers: Dispatchers,
    hop: HopRequest,
    signal: AbortSignal,
    use: ConnectionUse,
  ): Promise<Dispatcher.ResponseData> {
    // undici's request() would normalise a URL, so it gets the parts.
    const request = {
      origin: hop.url.origin,
      path: targetOf(hop),
      method: hop.method,
      headers: this.#headers(hop),
      body: hop.body ?? null,
      signal,
    };
    const note = noting(() => use.begin());
    const pending = dispatchers.use(hop.url, (dispatcher) => dispatcher.compose(note).request(request));
    try {
      // undici heeds a signal only once it has a connection; a request that waits for one must end at once, too.
      return await abortable(pending, signal);
    } catch (error) {
      pending.then(
        ({ body }) => body.on('error', () => undefined).destroy(),
        () => undefined,
      );
      throw error;
    }
  }

  #headers(hop: HopRequest): Readonly<Record<string, string>> {
    return {
      // The bytes of a compressed body would not have the digest.
      'accept-encoding': 'identity',
      'user-agent': this.#settings.userAgent,
      ...this.#via(hop.url),
      ...hop.headers,
    };
  }

  /** Omits Via for signed URLs: they must go out as they were signed, and their object stores forward nothing. */
  #via(url: URL): Readonly<Record<string, string>> {
    const isUnsigned = url.origin === this.#settings.url.origin || url.search === '';
    return this.#passage !== undefined && isUnsigned ? { via: this.#passage.via } : {};
  }

  #late(use: ConnectionUse, host: string, ms: number): UpstreamError {
    if (!use.hasFoundNone) return this.#error('timeout', `no answer within ${ms} ms`);
    const message = `not asked: all connections to ${host} were in use for ${ms} ms`;
    return new UpstreamError(this.#settings.name, 'unavailable', 'busy', message, { wasAsked: false });
  }

  #error(reason: 'cancelled' | 'timeout', message: string): UpstreamError {
    return new UpstreamError(this.#settings.name, 'unavailable', reason, message);
  }

  #classified(error: unknown, host: string): UpstreamError {
    if (error instanceof UpstreamError) return error;
    if (error instanceof ForbiddenAddressError) {
      const options = { cause: error };
      return new UpstreamError(
        this.#settings.name,
        'unavailable',
        'forbidden-address',
        error.message,
        options,
      );
    }
    const { name } = this.#settings;
    // If Larder cannot read its own account, that says nothing about upstream.
    const ours = { cause: error, wasAsked: false };
    if (error instanceof CredentialError)
      return new UpstreamError(name, 'unavailable', 'credentials', error.message, ours);
    const { failure, reason, message } = classifyNetworkError(error);
    const text = `${host}: ${proxyRefusal(error) ?? message}`;
    return new UpstreamError(name, failure, reason, text, { cause: error });
  }
}

/** Returns path and query as they are sent. */
function targetOf({ target, url }: HopRequest): string {
  return target ?? url.pathname + url.search;
}
