/**
 * An upstream client against a scripted server that plays all hosts of a registry: the registry itself, its
 * token endpoint, its object store, each by its real name, by https with a certificate for all of them.
 *
 *     await using registry = await startUpstreamFixture('ghcr.io', ['pkg-containers.githubusercontent.com']);
 *     registry.on('GET', '/v2/o/r/manifests/1').at('ghcr.io').reply(…);
 *     await registry.upstream.manifest(…);
 *
 * Every host has the public address 8.8.8.8 unless `network.name` says otherwise; time stands still unless
 * `clock` is moved.
 */
import { createEvents, type LarderEvent } from '../../src/events.ts';
import { ConnectionsInUse } from '../../src/upstream/connections/connections-in-use.ts';
import { createUpstream } from '../../src/upstream/create-upstream.ts';
import { LargeBodies } from '../../src/upstream/transport/bodies/large-bodies.ts';
import type { UpstreamSettings } from '../../src/upstream/settings.ts';
import type { MakeContext } from '../../src/upstream/connections/trust.ts';
import type { AskedUpstream } from '../../src/upstream/upstream.ts';
import { FakeNetwork } from './fake-network.ts';
import { leftOver, notZero } from './left-over.ts';
import { ManualClock } from './manual-clock.ts';
import type { Hit } from './scripted-server.ts';
import {
  hostnameOf,
  startScriptedUpstream,
  type Exchange,
  type Expected,
  type ScriptedUpstream,
} from './scripted-upstream.ts';
import { createCertificateAuthority, type CertificateAuthority } from './tls.ts';

export interface UpstreamFixtureOptions extends Partial<UpstreamSettings> {
  /** Default https. */
  readonly scheme?: 'http' | 'https';
  /** Path of the upstream's URL. */
  readonly path?: string;
  /** The authority of the server's certificate. Absent: a new one. */
  readonly authority?: CertificateAuthority;
  readonly makeContext?: MakeContext;
}

/** In milliseconds of the fixture's clock. */
export const TIMEOUTS = { connectMs: 1000, headersMs: 2000, bodyMs: 3000 };

export class UpstreamFixture implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly network: FakeNetwork;
  readonly events: readonly LarderEvent[];
  readonly script: ScriptedUpstream;
  readonly upstream: AskedUpstream;
  readonly #scheme: string;
  /** Returns the counts that must be zero in the end, by their names. */
  readonly #counts: () => Readonly<Record<string, number>>;

  constructor(
    parts: Pick<UpstreamFixture, 'clock' | 'network' | 'events' | 'script' | 'upstream'>,
    scheme: string,
    counts: () => Readonly<Record<string, number>>,
  ) {
    this.clock = parts.clock;
    this.network = parts.network;
    this.events = parts.events;
    this.script = parts.script;
    this.upstream = parts.upstream;
    this.#scheme = scheme;
    this.#counts = counts;
  }

  on(method: string, path: Expected): Exchange {
    return this.script.on(method, path);
  }

  /** Returns the URL of a path at one of the hosts. */
  url(host: string, path: string): string {
    return `${this.#scheme}://${host}:${this.script.port}${path}`;
  }

  /** `METHOD host/path` of every request, in order; the port and the query are left out. */
  get log(): readonly string[] {
    return this.script.hits.map((hit) => `${hit.method} ${hostnameOf(hit)}${hit.path}`);
  }

  /** Returns the requests to a host. */
  hitsAt(host: string): readonly Hit[] {
    return this.script.hits.filter((hit) => hostnameOf(hit) === host);
  }

  eventsOf<K extends LarderEvent['kind']>(kind: K): readonly Extract<LarderEvent, { kind: K }>[] {
    return this.events.filter((event): event is Extract<LarderEvent, { kind: K }> => event.kind === kind);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.upstream.close();
    await this.script[Symbol.asyncDispose]();
    this.script.assertDone();
    const left = await leftOver(() => Promise.resolve([...this.clock.left, ...notZero(this.#counts())]));
    if (left.length > 0) throw new Error(`this is left:\n${left.join('\n')}`);
  }
}

/** Starts the fixture. @param host the registry's own @param others hosts that it sends its clients to */
export async function startUpstreamFixture(
  host: string,
  others: readonly string[] = [],
  options: UpstreamFixtureOptions = {},
): Promise<UpstreamFixture> {
  const {
    scheme = 'https',
    path = '',
    authority = createCertificateAuthority(),
    makeContext,
    ...settings
  } = options;
  const tls = authority.issue([host, ...others]);
  const script = await startScriptedUpstream(scheme === 'https' ? { tls } : {});
  const network = new FakeNetwork();
  for (const name of [host, ...others]) network.name(name, '8.8.8.8');
  const clock = new ManualClock();
  const bus = createEvents();
  const events: LarderEvent[] = [];
  bus.subscribe((event) => events.push(event));
  const connections = new ConnectionsInUse(settings.connections);
  const large = new LargeBodies();
  const upstream = createUpstream(
    {
      name: host,
      url: new URL(`${scheme}://${host}:${script.port}${path}`),
      ca: authority.certificate,
      timeouts: TIMEOUTS,
      userAgent: 'larder/test',
      ...settings,
    },
    { clock, events: bus, network, makeContext, connections, large },
  );
  const counts = (): Readonly<Record<string, number>> => ({
    'connections in use': connections.size,
    'large documents in memory': large.held,
  });
  return new UpstreamFixture({ clock, network, events, script, upstream }, scheme, counts);
}
